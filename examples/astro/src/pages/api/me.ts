import { clerkClient } from '@clerk/astro/server'
import type { APIRoute } from 'astro'

export const GET: APIRoute = async (context) => {
  const { userId } = context.locals.auth()
  if (!userId) return new Response('Unauthorized', { status: 401 })

  const user = await clerkClient(context).users.getUser(userId)
  return Response.json({ userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null })
}
