// Serves this folder. Any server of static files does, once the settings stand in the pages.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const files = {
  '/': ['index.html', 'text/html'],
  '/bundled': ['bundled.html', 'text/html'],
  '/style.css': ['style.css', 'text/css'],
  '/forms.js': ['forms.js', 'text/javascript'],
  '/clerk.mjs': ['node_modules/@clerk/clerk-js/dist/clerk.mjs', 'text/javascript'],
}

const server = createServer((request, response) => {
  const file = files[new URL(request.url, 'http://localhost').pathname]
  if (!file) return response.writeHead(404).end()

  const [name, type] = file
  let text = readFileSync(new URL(name, import.meta.url), 'utf8')
  if (type === 'text/html') {
    text = text.replace(/%(CLERK_(?:PUBLISHABLE_KEY|PROXY_URL|JS_URL))%/g, (_, name) => process.env[name])
  }
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text)
})

const port = process.env.PORT ?? 3000
server.listen(port, 'localhost', () => console.log(`http://localhost:${port}`))
