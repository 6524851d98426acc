import { createRoot } from 'react-dom/client'
import { ClerkProvider, Show, SignIn, SignOutButton, SignUp, UserButton, useUser } from '@clerk/react'
import { SignInPage } from './sign-in'
import { SignUpPage } from './sign-up'
import './style.css'

// A real app has a router; the address of the page is enough for these five.
const pages: Record<string, () => React.ReactNode> = {
  '/': HomePage,
  '/sign-up': SignUpPage,
  '/sign-in': SignInPage,
  '/prebuilt/sign-up': () => <SignUp signInUrl="/prebuilt/sign-in" forceRedirectUrl="/" />,
  '/prebuilt/sign-in': () => <SignIn signUpUrl="/prebuilt/sign-up" forceRedirectUrl="/" />,
}

function HomePage() {
  return (
    <>
      <Show when="signed-out">
        <h1>You are signed out</h1>
        <p>
          With forms of our own: <a href="/sign-up">sign up</a> or <a href="/sign-in">sign in</a>.
        </p>
        <p>
          With the SDK&apos;s components: <a href="/prebuilt/sign-up">sign up</a> or{' '}
          <a href="/prebuilt/sign-in">sign in</a>.
        </p>
      </Show>
      <Show when="signed-in">
        <Account />
      </Show>
    </>
  )
}

function Account() {
  const { user } = useUser()

  return (
    <>
      <h1>You are signed in</h1>
      <dl>
        <dt>User</dt>
        <dd data-testid="user-id">{user?.id}</dd>
        <dt>Phone number</dt>
        <dd data-testid="phone">{user?.primaryPhoneNumber?.phoneNumber ?? '–'}</dd>
      </dl>
      <UserButton />
      <SignOutButton />
    </>
  )
}

const Page = pages[location.pathname] ?? (() => <h1>There is no such page</h1>)

createRoot(document.getElementById('app')!).render(
  <ClerkProvider
    publishableKey={import.meta.env.VITE_CLERK_PUBLISHABLE_KEY}
    proxyUrl="/__clerk"
    signInUrl="/sign-in"
    signUpUrl="/sign-up"
  >
    <Page />
  </ClerkProvider>,
)
