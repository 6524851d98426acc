import { SignIn } from '@clerk/nextjs'

export default function PrebuiltSignInOrUpPage() {
  return (
    <SignIn
      withSignUp
      path="/prebuilt/either"
      forceRedirectUrl="/dashboard"
      signUpForceRedirectUrl="/dashboard"
    />
  )
}
