import { Waitlist } from '@clerk/nextjs'

export default function PrebuiltWaitlistPage() {
  return <Waitlist signInUrl="/prebuilt/sign-in" afterJoinWaitlistUrl="/prebuilt/waitlist" />
}
