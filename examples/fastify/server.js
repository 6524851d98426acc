import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { clerkClient, clerkPlugin, getAuth } from '@clerk/fastify'

// The page carries the settings that a browser needs, from the variables of the same names.
const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace(
  /%(CLERK_(?:PUBLISHABLE_KEY|PROXY_URL|JS_URL|UI_URL))%/g,
  (_, name) => process.env[name],
)

const app = Fastify()

// The plugin reads the two keys from the environment, but not these two addresses.
await app.register(clerkPlugin, {
  apiUrl: process.env.CLERK_API_URL,
  proxyUrl: process.env.CLERK_PROXY_URL,
})

for (const path of ['/', '/sign-up', '/sign-in']) {
  app.get(path, (request, reply) => reply.type('text/html').send(page))
}

app.get('/api/me', async (request, reply) => {
  const { userId } = getAuth(request)
  if (!userId) return reply.code(401).send({ error: 'Sign in first.' })

  const user = await clerkClient.users.getUser(userId)
  return { userId, phone: user.primaryPhoneNumber?.phoneNumber ?? null }
})

console.log(await app.listen({ host: 'localhost', port: process.env.PORT ?? 3000 }))
