'use client'

import * as React from 'react'
import Link from 'next/link'
import { useAuth, useSignIn } from '@clerk/nextjs'
import { useRouter } from 'next/navigation'
import { FieldProblem, GlobalProblems } from '@/components/problems'
import { SignedInAlready } from '@/components/signed-in-already'

export default function Page() {
  const { signIn, errors, fetchStatus } = useSignIn()
  const { isSignedIn } = useAuth()
  const router = useRouter()
  const [typed, setTyped] = React.useState('')
  const [notice, setNotice] = React.useState('')

  async function handleSubmit(formData: FormData) {
    const phoneNumber = formData.get('phoneNumber') as string
    setTyped(phoneNumber)

    await signIn.phoneCode.sendCode({ phoneNumber })
  }

  async function handleVerification(formData: FormData) {
    const code = formData.get('code') as string
    setNotice('')

    await signIn.phoneCode.verifyCode({ code })
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

    const { error } = await signIn.phoneCode.sendCode()
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
    signIn.firstFactorVerification.strategy === 'phone_code'
  ) {
    return (
      <>
        <h1>Verify your phone number</h1>
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
      <form action={handleSubmit}>
        <label htmlFor="phoneNumber">Enter phone number</label>
        <input
          id="phoneNumber"
          name="phoneNumber"
          type="tel"
          autoComplete="tel"
          placeholder="+14155550123"
          defaultValue={typed}
          aria-invalid={errors.fields.identifier !== null}
          aria-describedby="phoneNumber-problem"
          required
        />
        <FieldProblem id="phoneNumber-problem" error={errors.fields.identifier} />
        <GlobalProblems errors={errors.global} />
        <button type="submit" disabled={fetchStatus === 'fetching'}>
          Continue
        </button>
      </form>
      <p>
        <Link href="/sign-in/email">Use an e-mail address instead</Link>
      </p>
    </>
  )
}
