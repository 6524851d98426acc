import { TaskSetupMFA } from '@clerk/nextjs'

/** Where `proxy.ts` sends people who have to set up a second step first (`mfa.required`). */
export default function TasksPage() {
  return <TaskSetupMFA redirectUrlComplete="/dashboard" />
}
