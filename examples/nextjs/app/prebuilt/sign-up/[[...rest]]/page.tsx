import { SignUp } from '@clerk/nextjs'

export default function PrebuiltSignUpPage() {
  return <SignUp path="/prebuilt/sign-up" signInUrl="/prebuilt/sign-in" forceRedirectUrl="/dashboard" />
}
