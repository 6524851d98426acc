import { auth, clerkClient } from '@clerk/tanstack-react-start/server'
import { createFileRoute, redirect } from '@tanstack/react-router'
import { createServerFn } from '@tanstack/react-start'

// Runs on the server, whoever calls it: the first page or the router in the browser.
const loadMe = createServerFn().handler(async () => {
  const { userId } = await auth()
  if (!userId) throw redirect({ href: '/sign-in' })

  const user = await clerkClient().users.getUser(userId)
  return { userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null }
})

export const Route = createFileRoute('/dashboard')({ loader: () => loadMe(), component: Dashboard })

function Dashboard() {
  const me = Route.useLoaderData()

  return (
    <>
      <h1>Dashboard</h1>
      <dl>
        <dt>User</dt>
        <dd data-testid="user-id">{me.userId}</dd>
        <dt>Phone number</dt>
        <dd data-testid="phone">{me.phone}</dd>
      </dl>
    </>
  )
}
