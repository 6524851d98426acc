import { Show, SignOutButton, UserButton, useUser } from '@clerk/tanstack-react-start'
import { createFileRoute, Link } from '@tanstack/react-router'

export const Route = createFileRoute('/')({ component: Home })

function Home() {
  const { user } = useUser()

  return (
    <>
      <Show when="signed-out">
        <h1>You are signed out</h1>
        <p>
          <a href="/sign-up">Sign up</a> or <a href="/sign-in">sign in</a>.
        </p>
      </Show>
      <Show when="signed-in">
        <h1>You are signed in</h1>
        <dl>
          <dt>User</dt>
          <dd data-testid="user-id">{user?.id}</dd>
        </dl>
        <p>
          <Link to="/dashboard">Dashboard</Link>
        </p>
        <UserButton />
        <SignOutButton />
      </Show>
    </>
  )
}
