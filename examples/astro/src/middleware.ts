import { clerkMiddleware } from '@clerk/astro/server'

export const onRequest = clerkMiddleware((auth, context) => {
  const { userId, redirectToSignIn } = auth()
  if (!userId && context.url.pathname.startsWith('/dashboard')) return redirectToSignIn()
})
