'use client'

import { useClerk } from '@clerk/nextjs'

export function SignOut() {
  const { signOut } = useClerk()

  return (
    <button type="button" className="secondary" onClick={() => signOut({ redirectUrl: '/' })}>
      Sign out
    </button>
  )
}
