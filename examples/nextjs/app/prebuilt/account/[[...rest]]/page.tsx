import { UserProfile } from '@clerk/nextjs'

export default function PrebuiltAccountPage() {
  return <UserProfile path="/prebuilt/account" />
}
