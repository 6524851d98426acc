'use client'

import * as React from 'react'
import Link from 'next/link'
import { useAuth, useSignIn } from '@clerk/nextjs'
import { useRouter } from 'next/navigation'
import { FieldProblem, GlobalProblems } from '@/components/problems'
import { SignedInAlready } from '@/components/signed-in-already'

export default function SignInByEmailPage() {
  const { signIn, errors, fetchStatus } = useSignIn()
  const { isSignedIn } = useAuth()
  const router = useRouter()
  const [typed, setTyped] = React.useState('')
  const [notice, setNotice] = React.useState('')

  async function handleSubmit(formData: FormData) {
    const emailAddress = formData.get('emailAddress') as string
    setTyped(emailAddress)

    await signIn.emailCode.sendCode({ emailAddress })
  }

  async function handleVerification(formData: FormData) {
    const code = formData.get('code') as string
    setNotice('')

    await signIn.emailCode.verifyCode({ code })
    if (signIn.status === 'complete') {
      await signIn.finalize({
        navigate: () => {
          router.push('/')
        },
      })
    }
  }

  async function handleResend() {
    setNotice('')

    const { error } = await signIn.emailCode.sendCode()
    if (!error) setNotice('A new code is on its way.')
  }

  async function handleStartOver() {
    setNotice('')

    await signIn.reset()
  }

  if (isSignedIn) {
    return <SignedInAlready />
  }

  if (
    signIn.status === 'needs_first_factor' &&
    signIn.firstFactorVerification.strategy === 'email_code'
  ) {
    return (
      <>
        <h1>Verify your e-mail address</h1>
        <p>We sent a code to {signIn.identifier}.</p>
        <form action={handleVerification}>
          <label htmlFor="code">Enter your verification code</label>
          <input
            id="code"
            name="code"
            type="text"
            inputMode="numeric"
            autoComplete="one-time-code"
            aria-invalid={errors.fields.code !== null}
            aria-describedby="code-problem"
            required
          />
          <FieldProblem id="code-problem" error={errors.fields.code} />
          <GlobalProblems errors={errors.global} />
          <p role="status">{notice}</p>
          <button type="submit" disabled={fetchStatus === 'fetching'}>
            Verify
          </button>
          <button type="button" className="secondary" onClick={handleResend} disabled={fetchStatus === 'fetching'}>
            Send a new code
          </button>
          <button type="button" className="secondary" onClick={handleStartOver}>
            Start over
          </button>
        </form>
      </>
    )
  }

  return (
    <>
      <h1>Sign in</h1>
      <form action={handleSubmit} noValidate>
        <label htmlFor="emailAddress">Enter e-mail address</label>
        <input
          id="emailAddress"
          name="emailAddress"
          type="email"
          autoComplete="email"
          placeholder="you@example.com"
          defaultValue={typed}
          aria-invalid={errors.fields.identifier !== null}
          aria-describedby="emailAddress-problem"
        />
        <FieldProblem id="emailAddress-problem" error={errors.fields.identifier} />
        <GlobalProblems errors={errors.global} />
        <button type="submit" disabled={fetchStatus === 'fetching'}>
          Continue
        </button>
      </form>
      <p>
        <Link href="/sign-in">Use a phone number instead</Link>
      </p>
    </>
  )
}
