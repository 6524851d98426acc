import { auth, currentUser } from '@clerk/nextjs/server'
import { SignOut } from '@/components/sign-out'

export default async function DashboardPage() {
  const { isAuthenticated, userId, sessionId, redirectToSignIn } = await auth()
  if (!isAuthenticated) return redirectToSignIn()

  const user = await currentUser()

  return (
    <>
      <h1>Dashboard</h1>
      <p>This page was rendered on the server, for the user it found in the session token.</p>
      <dl>
        <dt>User</dt>
        <dd data-testid="user-id">{userId}</dd>
        <dt>Session</dt>
        <dd data-testid="session-id">{sessionId}</dd>
        <dt>Phone number</dt>
        <dd data-testid="phone-number">{user?.primaryPhoneNumber?.phoneNumber ?? '–'}</dd>
        <dt>E-mail address</dt>
        <dd data-testid="email-address">{user?.primaryEmailAddress?.emailAddress ?? '–'}</dd>
      </dl>
      <SignOut />
    </>
  )
}
