import type { NextConfig } from 'next'

const authServer = process.env.CLERK_API_URL ?? 'http://localhost:8787'

const config: NextConfig = {
  poweredByHeader: false,
  turbopack: { root: import.meta.dirname },

  // Only what a browser needs of the auth server is reachable through this app:
  // the Frontend API and the SDK's scripts, not its pages and not its inbox.
  rewrites: async () => [
    { source: '/__clerk/v1/:path*', destination: `${authServer}/v1/:path*` },
    { source: '/__clerk/npm/:path*', destination: `${authServer}/npm/:path*` },
  ],
}

export default config
