import { UserButton } from '@clerk/nextjs'

export default function PrebuiltUserPage() {
  return (
    <>
      <h1>Who is signed in</h1>
      <UserButton signInUrl="/prebuilt/sign-in" />
    </>
  )
}
