// Sign-up and sign-in by a code, with the SDK's own objects: no component, no framework.

const signUp = {
  title: 'Sign up',

  async sendCode(clerk, phoneNumber) {
    const attempt = await clerk.client.signUp.create({ phoneNumber })
    await attempt.preparePhoneNumberVerification({ strategy: 'phone_code' })
  },

  verify: (clerk, code) => clerk.client.signUp.attemptPhoneNumberVerification({ code }),
}

const signIn = {
  title: 'Sign in',

  async sendCode(clerk, phoneNumber) {
    const attempt = await clerk.client.signIn.create({ identifier: phoneNumber })
    const byPhone = attempt.supportedFirstFactors.find(({ strategy }) => strategy === 'phone_code')
    await attempt.prepareFirstFactor(byPhone)
  },

  verify: (clerk, code) => clerk.client.signIn.attemptFirstFactor({ strategy: 'phone_code', code }),
}

/** Show what suits the visitor: who they are, one of the two forms, or links to them. */
export function start(clerk) {
  if (clerk.user) showUser(clerk)
  else if (location.search === '?sign-up') askForNumber(clerk, signUp)
  else if (location.search === '?sign-in') askForNumber(clerk, signIn)
  else {
    show(`
      <h1>You are signed out</h1>
      <p><a href="?sign-up">Sign up</a> or <a href="?sign-in">sign in</a>.</p>`)
  }
}

function askForNumber(clerk, way) {
  const main = show(`
    <h1>${way.title}</h1>
    <form>
      <label for="phone">Phone number</label>
      <input id="phone" type="tel" autocomplete="tel" placeholder="+14155550123" required />
      <p role="alert"></p>
      <button>${way.title}</button>
    </form>`)

  whenSubmitted(main, async (phone) => {
    await way.sendCode(clerk, phone)
    askForCode(clerk, way)
  })
}

function askForCode(clerk, way) {
  const main = show(`
    <h1>Verify your phone number</h1>
    <form>
      <label for="code">Enter your verification code</label>
      <input id="code" inputmode="numeric" autocomplete="one-time-code" required />
      <p role="alert"></p>
      <button>Verify</button>
    </form>`)

  whenSubmitted(main, async (code) => {
    const { status, createdSessionId } = await way.verify(clerk, code)
    if (status !== 'complete') throw new Error(`One more step is needed: ${status}`)
    await clerk.setActive({ session: createdSessionId })
    location.assign(location.pathname)
  })
}

function showUser(clerk) {
  const main = show(`
    <h1>You are signed in</h1>
    <dl>
      <dt>User</dt>
      <dd data-testid="user-id"></dd>
      <dt>Phone number</dt>
      <dd data-testid="phone"></dd>
    </dl>
    <button>Sign out</button>`)
  main.querySelector('[data-testid="user-id"]').textContent = clerk.user.id
  main.querySelector('[data-testid="phone"]').textContent = clerk.user.primaryPhoneNumber?.phoneNumber ?? '–'
  main.querySelector('button').onclick = () => clerk.signOut({ redirectUrl: location.pathname })
}

function show(html) {
  const main = document.querySelector('main')
  main.innerHTML = html
  return main
}

/** Hand the form's one value on; what goes wrong is said under its field. */
function whenSubmitted(main, send) {
  const input = main.querySelector('input')
  const problem = main.querySelector('[role="alert"]')
  const button = main.querySelector('button')
  input.focus()

  main.querySelector('form').onsubmit = async (event) => {
    event.preventDefault()
    problem.textContent = ''
    button.disabled = true
    try {
      await send(input.value)
    } catch (error) {
      problem.textContent = error.errors?.[0]?.longMessage ?? error.message
    } finally {
      button.disabled = false
    }
  }
}
