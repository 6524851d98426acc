import Link from 'next/link'
import { SignOut } from './sign-out'

export function SignedInAlready() {
  return (
    <>
      <p>
        You are signed in. <Link href="/dashboard" prefetch={false}>Go to the dashboard</Link>
      </p>
      <SignOut />
    </>
  )
}
