// Next.js 16 runs `proxy.ts` before a request reaches a page (it was `middleware.ts` before).
import { clerkMiddleware, createRouteMatcher } from '@clerk/nextjs/server'

const needsSignIn = createRouteMatcher(['/dashboard(.*)'])

export default clerkMiddleware(
  async (auth, request) => {
    if (needsSignIn(request)) await auth.protect()
  },
  { signInUrl: '/sign-in', signUpUrl: '/sign-up' },
)

export const config = {
  // Every page; not Next's own files, not the auth server's paths, not static files.
  matcher: ['/((?!_next|__clerk|[^?]*\\.(?:css|js|map|svg|png|ico|txt|webmanifest)$).*)'],
}
