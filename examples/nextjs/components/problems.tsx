import type { useSignIn, useSignUp } from '@clerk/nextjs'

type Errors = ReturnType<typeof useSignIn>['errors'] | ReturnType<typeof useSignUp>['errors']
type FieldError = { message: string } | null

/** What is wrong with one field, in the server's words. */
export function FieldProblem({ id, error }: { id: string; error: FieldError }) {
  return error && <p id={id} role="alert">{error.message}</p>
}

/** What is wrong with no field in particular: too many tries, an expired code, no connection. */
export function GlobalProblems({ errors }: { errors: Errors['global'] }) {
  return errors?.flatMap(messages).map((message) => <p key={message} role="alert">{message}</p>)
}

function messages(error: NonNullable<Errors['global']>[number]): string[] {
  if (error.isClerkAPIResponseError() && error.errors.length > 0) {
    return error.errors.map((each) => each.longMessage || each.message)
  }
  return [error.longMessage || error.message]
}
