// The keys and the auth server's address come from the environment when the app starts:
// Nuxt puts NUXT_… variables into its runtime configuration. Nothing is fixed when it is built.
export default defineNuxtConfig({
  compatibilityDate: '2025-07-15',
  telemetry: false,
  modules: ['@clerk/nuxt'],
  clerk: {
    signInUrl: '/sign-in',
    signUpUrl: '/sign-up',
    signInForceRedirectUrl: '/',
    signUpForceRedirectUrl: '/',
  },
  app: { head: { title: 'Doorcode and Nuxt', link: [{ rel: 'icon', href: 'data:,' }] } },
})
