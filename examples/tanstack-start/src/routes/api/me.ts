import { auth, clerkClient } from '@clerk/tanstack-react-start/server'
import { createFileRoute } from '@tanstack/react-router'

export const Route = createFileRoute('/api/me')({
  server: {
    handlers: {
      GET: async () => {
        const { userId } = await auth()
        if (!userId) return new Response('Unauthorized', { status: 401 })

        const user = await clerkClient().users.getUser(userId)
        return Response.json({ userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null })
      },
    },
  },
})
