import { UserProfile } from '@clerk/nextjs'
import { auth } from '@clerk/nextjs/server'

export default async function PrebuiltAccountPage() {
  const { isAuthenticated, redirectToSignIn } = await auth()
  if (!isAuthenticated) return redirectToSignIn()

  return (
    <div className="wide">
      <UserProfile path="/prebuilt/account" />
    </div>
  )
}
