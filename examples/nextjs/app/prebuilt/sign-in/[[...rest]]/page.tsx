import { SignIn } from '@clerk/nextjs'

export default function PrebuiltSignInPage() {
  return <SignIn path="/prebuilt/sign-in" signUpUrl="/prebuilt/sign-up" forceRedirectUrl="/dashboard" />
}
