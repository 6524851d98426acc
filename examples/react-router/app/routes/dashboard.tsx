import { clerkClient, getAuth } from '@clerk/react-router/server'
import { redirect } from 'react-router'
import type { Route } from './+types/dashboard'

// Runs on the server: it knows the user before the page is rendered, and lets nobody else in.
export async function loader(args: Route.LoaderArgs) {
  const { userId } = await getAuth(args)
  if (!userId) return redirect('/sign-in')

  const user = await clerkClient(args).users.getUser(userId)
  return { userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null }
}

export default function Dashboard({ loaderData }: Route.ComponentProps) {
  return (
    <>
      <h1>Dashboard</h1>
      <dl>
        <dt>User</dt>
        <dd data-testid="user-id">{loaderData.userId}</dd>
        <dt>Phone number</dt>
        <dd data-testid="phone">{loaderData.phone}</dd>
      </dl>
    </>
  )
}
