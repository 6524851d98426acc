// The smallest app with a server side on the real @clerk/backend: every request is
// authenticated as the SDKs for frameworks do it, and answered with what was found.
//
//   node handshake_app.mjs '{"package": "…/package.json", "port": 3000, "options": {…}, …}'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import http from 'node:http'
import https from 'node:https'

const { package: installed, port, origin, secretKey, apiUrl, options, tls } = JSON.parse(process.argv[2])
const { createClerkClient } = createRequire(installed)('@clerk/backend')
const clerk = createClerkClient({ secretKey, apiUrl, telemetry: { disabled: true } })

async function answer(incoming, outgoing) {
  const request = new Request(origin + incoming.url, { headers: incoming.headers, method: incoming.method })
  const state = await clerk.authenticateRequest(request, { secretKey, apiUrl, ...options })
  for (const [name, value] of state.headers) outgoing.appendHeader(name, value)
  if (state.headers.has('location')) return outgoing.writeHead(307).end()
  if (state.status === 'handshake') throw new Error('a handshake without an address')
  const { userId, sessionId } = state.toAuth()
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(JSON.stringify({ status: state.status, reason: state.reason, userId, sessionId }))
}

const listener = (incoming, outgoing) =>
  answer(incoming, outgoing).catch(error => {
    console.error(error)
    outgoing.writeHead(500).end(String(error))
  })

const files = tls && { cert: readFileSync(tls.cert), key: readFileSync(tls.key) }
const server = files ? https.createServer(files, listener) : http.createServer(listener)
server.listen(port, 'localhost', () => console.log(`listening on ${port}`))
