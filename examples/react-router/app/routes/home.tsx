import { Show, SignOutButton, UserButton, useUser } from '@clerk/react-router'
import { Link } from 'react-router'

export default function Home() {
  const { user } = useUser()

  return (
    <>
      <Show when="signed-out">
        <h1>You are signed out</h1>
        <p>
          <Link to="/sign-up">Sign up</Link> or <Link to="/sign-in">sign in</Link>.
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
