import { clerkClient, getAuth } from '@clerk/react-router/server'
import type { Route } from './+types/me'

export async function loader(args: Route.LoaderArgs) {
  const { userId } = await getAuth(args)
  if (!userId) return new Response('Unauthorized', { status: 401 })

  const user = await clerkClient(args).users.getUser(userId)
  return Response.json({ userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null })
}
