import { ClerkProvider } from '@clerk/react-router'
import { clerkMiddleware, rootAuthLoader } from '@clerk/react-router/server'
import { Links, Meta, Outlet, Scripts } from 'react-router'
import type { Route } from './+types/root'

export const middleware: Route.MiddlewareFunction[] = [
  clerkMiddleware({ signInUrl: '/sign-in', signUpUrl: '/sign-up' }),
]

export const loader = (args: Route.LoaderArgs) => rootAuthLoader(args)

export default function Root({ loaderData }: Route.ComponentProps) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <link rel="icon" href="data:," />
        <title>Doorcode and React Router</title>
        <Meta />
        <Links />
      </head>
      <body>
        <ClerkProvider loaderData={loaderData} signUpForceRedirectUrl="/" signInForceRedirectUrl="/">
          <main>
            <Outlet />
          </main>
        </ClerkProvider>
        <Scripts />
      </body>
    </html>
  )
}
