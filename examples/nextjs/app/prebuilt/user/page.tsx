import Link from 'next/link'
import { Show, UserButton } from '@clerk/nextjs'

export default function PrebuiltUserPage() {
  return (
    <>
      <h1>Who is signed in</h1>
      <Show when="signed-in" fallback={<Link href="/prebuilt/sign-in">Nobody: sign in</Link>}>
        <UserButton signInUrl="/prebuilt/sign-in" />
      </Show>
    </>
  )
}
