import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import Link from 'next/link'
import { ClerkProvider } from '@clerk/nextjs'
import './style.css'

export const metadata: Metadata = {
  title: 'Doorcode example',
  description: 'Sign up and sign in with a one-time code',
}

export const viewport: Viewport = { colorScheme: 'light dark' }

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <ClerkProvider signInUrl="/sign-in" signUpUrl="/sign-up" waitlistUrl="/prebuilt/waitlist">
          <header>
            <nav aria-label="Main">
              <Link href="/" className="brand">
                Doorcode example
              </Link>
              <Link href="/sign-up">Sign up</Link>
              <Link href="/sign-in">Sign in</Link>
              <Link href="/dashboard" prefetch={false}>
                Dashboard
              </Link>
            </nav>
          </header>
          <main>{children}</main>
        </ClerkProvider>
      </body>
    </html>
  )
}
