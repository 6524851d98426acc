import { UserProfile } from '@clerk/nextjs'

export default function PrebuiltAccountPage() {
  return (
    <div className="wide">
      <UserProfile path="/prebuilt/account" />
    </div>
  )
}
