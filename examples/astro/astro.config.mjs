import node from '@astrojs/node'
import clerk from '@clerk/astro'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server', // pages depend on who asks for them
  adapter: node({ mode: 'standalone' }),
  integrations: [
    clerk({
      signInUrl: '/sign-in',
      signUpUrl: '/sign-up',
      signInForceRedirectUrl: '/',
      signUpForceRedirectUrl: '/',
    }),
  ],
})
