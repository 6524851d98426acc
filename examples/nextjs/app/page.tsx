'use client'

import Link from 'next/link'
import { useUser } from '@clerk/nextjs'
import { SignOut } from '@/components/sign-out'

export default function HomePage() {
  const { isLoaded, isSignedIn, user } = useUser()

  if (!isLoaded) {
    return <p>One moment…</p>
  }

  if (isSignedIn) {
    return (
      <>
        <h1>You are signed in</h1>
        <dl>
          <dt>Phone number</dt>
          <dd data-testid="phone-number">{user.primaryPhoneNumber?.phoneNumber ?? '–'}</dd>
          <dt>E-mail address</dt>
          <dd data-testid="email-address">{user.primaryEmailAddress?.emailAddress ?? '–'}</dd>
          <dt>User</dt>
          <dd data-testid="user-id">{user.id}</dd>
        </dl>
        <p>
          <Link href="/dashboard" prefetch={false}>Go to the dashboard</Link>
        </p>
        <p>
          The SDK&apos;s ready-made <Link href="/prebuilt/user">button</Link> and{' '}
          <Link href="/prebuilt/account" prefetch={false}>account pages</Link>
        </p>
        <SignOut />
      </>
    )
  }

  return (
    <>
      <h1>You are signed out</h1>
      <ul>
        <li><Link href="/sign-up">Sign up by phone</Link></li>
        <li><Link href="/sign-up/email">Sign up by e-mail</Link></li>
        <li><Link href="/sign-in">Sign in by phone</Link></li>
        <li><Link href="/sign-in/email">Sign in by e-mail</Link></li>
      </ul>
      <p>The same with the SDK&apos;s ready-made components:</p>
      <ul>
        <li><Link href="/prebuilt/sign-up">Sign up</Link></li>
        <li><Link href="/prebuilt/sign-in">Sign in</Link></li>
        <li><Link href="/prebuilt/either">Sign in or up, whichever it takes</Link></li>
        <li><Link href="/prebuilt/waitlist">Join the waitlist</Link></li>
      </ul>
    </>
  )
}
