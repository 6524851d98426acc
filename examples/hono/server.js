import { readFileSync } from 'node:fs'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { clerkMiddleware, getAuth } from '@clerk/hono'

// The page carries the one setting that a browser needs.
const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace(
  '%CLERK_PUBLISHABLE_KEY%',
  process.env.CLERK_PUBLISHABLE_KEY,
)

const app = new Hono()

// The browser reaches the auth server through this app, at /__clerk: one origin, no CORS.
// The middleware passes those requests on to CLERK_FAPI_URL.
app.use(clerkMiddleware({ frontendApiProxy: { enabled: true } }))

for (const path of ['/', '/sign-up', '/sign-in']) {
  app.get(path, (c) => c.html(page))
}

app.get('/api/me', async (c) => {
  const { userId } = getAuth(c)
  if (!userId) return c.json({ error: 'Sign in first.' }, 401)

  const user = await c.get('clerk').users.getUser(userId)
  return c.json({ userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null })
})

const port = Number(process.env.PORT ?? 3000)
serve({ fetch: app.fetch, hostname: 'localhost', port }, () => console.log(`http://localhost:${port}`))
