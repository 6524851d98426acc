import { useSignIn } from '@clerk/react'
import { CodeForm, PhoneForm } from './forms'

export function SignInPage() {
  const { signIn, errors, fetchStatus } = useSignIn()
  const common = { busy: fetchStatus === 'fetching', problems: errors.global }

  async function sendCode(phoneNumber: string) {
    await signIn.phoneCode.sendCode({ phoneNumber })
  }

  async function verify(code: string) {
    await signIn.phoneCode.verifyCode({ code })
    if (signIn.status === 'complete') {
      await signIn.finalize({ navigate: () => location.assign('/') })
    }
  }

  if (signIn.status === 'complete') return null

  if (signIn.status === 'needs_first_factor') {
    return <CodeForm {...common} to={signIn.identifier} problem={errors.fields.code} onSubmit={verify} />
  }

  return <PhoneForm {...common} title="Sign in" problem={errors.fields.identifier} onSubmit={sendCode} />
}
