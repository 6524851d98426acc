import { readFileSync } from 'node:fs'
import express from 'express'
import { clerkClient, clerkMiddleware, getAuth } from '@clerk/express'

// The page carries the settings that a browser needs, from the variables of the same names.
const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace(
  /%(CLERK_(?:PUBLISHABLE_KEY|PROXY_URL|JS_URL|UI_URL))%/g,
  (_, name) => process.env[name],
)

const app = express()
app.use(clerkMiddleware())

app.get(['/', '/sign-up', '/sign-in'], (request, response) => {
  response.type('html').send(page)
})

app.get('/api/me', async (request, response) => {
  const { userId } = getAuth(request)
  if (!userId) return response.status(401).json({ error: 'Sign in first.' })

  const user = await clerkClient.users.getUser(userId)
  response.json({ userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null })
})

const port = process.env.PORT ?? 3000
app.listen(port, 'localhost', () => console.log(`http://localhost:${port}`))
