import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv } from 'vite'

export default defineConfig(({ mode }) => {
  const { CLERK_API_URL: authServer = 'http://localhost:8787' } = loadEnv(mode, '.', 'CLERK_')

  // The browser reaches the auth server through this app: one origin, no CORS. Only what a
  // browser needs of it is passed on, not its pages and not its inbox.
  const proxy = {
    '^/__clerk/(v1|npm)/': {
      target: authServer,
      rewrite: (path: string) => path.replace('/__clerk', ''),
    },
  }

  return { plugins: [react()], server: { proxy }, preview: { proxy } }
})
