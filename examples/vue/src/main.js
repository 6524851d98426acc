import { clerkPlugin, SignIn, SignUp } from '@clerk/vue'
import { createApp, h } from 'vue'
import HomePage from './HomePage.vue'
import SignInPage from './SignInPage.vue'
import SignUpPage from './SignUpPage.vue'
import './style.css'

// A real app has a router; the address of the page is enough for these five.
const pages = {
  '/': HomePage,
  '/sign-up': SignUpPage,
  '/sign-in': SignInPage,
  '/prebuilt/sign-up': () => h(SignUp, { signInUrl: '/prebuilt/sign-in', forceRedirectUrl: '/' }),
  '/prebuilt/sign-in': () => h(SignIn, { signUpUrl: '/prebuilt/sign-up', forceRedirectUrl: '/' }),
}

createApp(pages[location.pathname] ?? (() => h('h1', 'There is no such page')))
  .use(clerkPlugin, {
    publishableKey: import.meta.env.VITE_CLERK_PUBLISHABLE_KEY,
    proxyUrl: '/__clerk',
    signInUrl: '/sign-in',
    signUpUrl: '/sign-up',
  })
  .mount('#app')
