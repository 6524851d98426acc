import { ClerkProvider } from '@clerk/tanstack-react-start'
import { createRootRoute, HeadContent, Outlet, Scripts } from '@tanstack/react-router'

export const Route = createRootRoute({
  head: () => ({
    meta: [
      { charSet: 'utf-8' },
      { name: 'viewport', content: 'width=device-width' },
      { title: 'Doorcode and TanStack Start' },
    ],
    links: [{ rel: 'icon', href: 'data:,' }],
  }),
  notFoundComponent: () => <h1>There is no such page</h1>,
  component: () => (
    <html lang="en">
      <head>
        <HeadContent />
      </head>
      <body>
        <ClerkProvider signUpForceRedirectUrl="/" signInForceRedirectUrl="/">
          <main>
            <Outlet />
          </main>
        </ClerkProvider>
        <Scripts />
      </body>
    </html>
  ),
})
