import { useSignUp } from '@clerk/react'
import { CodeForm, PhoneForm } from './forms'

export function SignUpPage() {
  const { signUp, errors, fetchStatus } = useSignUp()
  const common = { busy: fetchStatus === 'fetching', problems: errors.global }

  async function sendCode(phoneNumber: string) {
    const { error } = await signUp.create({ phoneNumber })
    if (!error) await signUp.verifications.sendPhoneCode()
  }

  async function verify(code: string) {
    await signUp.verifications.verifyPhoneCode({ code })
    if (signUp.status === 'complete') {
      await signUp.finalize({ navigate: () => location.assign('/') })
    }
  }

  if (signUp.status === 'complete') return null

  if (signUp.status === 'missing_requirements' && signUp.unverifiedFields.includes('phone_number')) {
    return <CodeForm {...common} to={signUp.phoneNumber} problem={errors.fields.code} onSubmit={verify} />
  }

  return <PhoneForm {...common} title="Sign up" problem={errors.fields.phoneNumber} onSubmit={sendCode} />
}
