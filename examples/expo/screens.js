import { useSignIn, useSignUp } from '@clerk/expo'
import { CodeForm, PhoneForm } from './forms'

// Neither screen goes anywhere when it is done: App.js shows something else to who is signed in.

export function SignUpScreen() {
  const { signUp, errors, fetchStatus } = useSignUp()
  const common = { busy: fetchStatus === 'fetching', problems: errors.global }

  async function sendCode(phoneNumber) {
    const { error } = await signUp.create({ phoneNumber })
    if (!error) await signUp.verifications.sendPhoneCode()
  }

  async function verify(code) {
    await signUp.verifications.verifyPhoneCode({ code })
    if (signUp.status === 'complete') await signUp.finalize()
  }

  if (signUp.unverifiedFields.includes('phone_number')) {
    return (
      <CodeForm key="code" {...common} to={signUp.phoneNumber} problem={errors.fields.code} onSubmit={verify} />
    )
  }

  return <PhoneForm {...common} title="Sign up" problem={errors.fields.phoneNumber} onSubmit={sendCode} />
}

export function SignInScreen() {
  const { signIn, errors, fetchStatus } = useSignIn()
  const common = { busy: fetchStatus === 'fetching', problems: errors.global }

  async function sendCode(phoneNumber) {
    await signIn.phoneCode.sendCode({ phoneNumber })
  }

  async function verify(code) {
    await signIn.phoneCode.verifyCode({ code })
    if (signIn.status === 'complete') await signIn.finalize()
  }

  if (signIn.status === 'needs_first_factor') {
    return (
      <CodeForm key="code" {...common} to={signIn.identifier} problem={errors.fields.code} onSubmit={verify} />
    )
  }

  return <PhoneForm {...common} title="Sign in" problem={errors.fields.identifier} onSubmit={sendCode} />
}
