'use client'

import * as React from 'react'
import Link from 'next/link'
import { useAuth, useSignUp } from '@clerk/nextjs'
import { useRouter } from 'next/navigation'
import { FieldProblem, GlobalProblems } from '@/components/problems'
import { SignedInAlready } from '@/components/signed-in-already'

export default function SignUpByEmailPage() {
  const { signUp, errors, fetchStatus } = useSignUp()
  const { isSignedIn } = useAuth()
  const router = useRouter()
  const [typed, setTyped] = React.useState('')
  const [notice, setNotice] = React.useState('')

  const handleSubmit = async (formData: FormData) => {
    const emailAddress = formData.get('emailAddress') as string
    setTyped(emailAddress)

    const { error } = await signUp.create({ emailAddress })
    if (error) return // what is wrong with the address stays on the page

    await signUp.verifications.sendEmailCode()
  }

  const handleVerify = async (formData: FormData) => {
    const code = formData.get('code') as string
    setNotice('')

    await signUp.verifications.verifyEmailCode({ code })
    if (signUp.status === 'complete') {
      await signUp.finalize({
        navigate: () => {
          router.push('/dashboard')
        },
      })
    }
  }

  const handleResend = async () => {
    setNotice('')

    const { error } = await signUp.verifications.sendEmailCode()
    if (!error) setNotice('A new code is on its way.')
  }

  const handleStartOver = async () => {
    setNotice('')

    await signUp.reset()
  }

  if (isSignedIn) {
    return <SignedInAlready />
  }

  if (signUp.status === 'complete') {
    return null
  }

  if (
    signUp.status === 'missing_requirements' &&
    signUp.unverifiedFields.includes('email_address')
  ) {
    return (
      <>
        <h1>Verify your e-mail address</h1>
        <p>We sent a code to {signUp.emailAddress}.</p>
        <form action={handleVerify}>
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
      <h1>Sign up</h1>
      <form action={handleSubmit} noValidate>
        <label htmlFor="emailAddress">E-mail address</label>
        <input
          id="emailAddress"
          name="emailAddress"
          type="email"
          autoComplete="email"
          placeholder="you@example.com"
          defaultValue={typed}
          aria-invalid={errors.fields.emailAddress !== null}
          aria-describedby="emailAddress-problem"
        />
        <FieldProblem id="emailAddress-problem" error={errors.fields.emailAddress} />
        <GlobalProblems errors={errors.global} />
        {/* Where the SDK draws its check for bots, if the server asks for one. */}
        <div id="clerk-captcha" />
        <button type="submit" disabled={fetchStatus === 'fetching'}>
          Sign up
        </button>
      </form>
      <p>
        <Link href="/sign-up">Use a phone number instead</Link>
      </p>
    </>
  )
}
