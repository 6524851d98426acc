'use client'

import * as React from 'react'
import Link from 'next/link'
import { useAuth, useSignUp } from '@clerk/nextjs'
import { useRouter } from 'next/navigation'
import { FieldProblem, GlobalProblems } from '@/components/problems'
import { SignedInAlready } from '@/components/signed-in-already'

export default function SignUpPage() {
  const { signUp, errors, fetchStatus } = useSignUp()
  const { isSignedIn } = useAuth()
  const router = useRouter()
  const [typed, setTyped] = React.useState('')
  const [notice, setNotice] = React.useState('')

  const handleSubmit = async (formData: FormData) => {
    const phoneNumber = formData.get('phoneNumber') as string
    setTyped(phoneNumber)

    const { error } = await signUp.create({ phoneNumber })
    if (error) return // what is wrong with the number stays on the page

    await signUp.verifications.sendPhoneCode()
  }

  const handleVerify = async (formData: FormData) => {
    const code = formData.get('code') as string
    setNotice('')

    await signUp.verifications.verifyPhoneCode({ code })
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

    const { error } = await signUp.verifications.sendPhoneCode()
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
    signUp.unverifiedFields.includes('phone_number')
  ) {
    return (
      <>
        <h1>Verify your phone number</h1>
        <p>We sent a code to {signUp.phoneNumber}.</p>
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
      <form action={handleSubmit}>
        <label htmlFor="phoneNumber">Phone number</label>
        <input
          id="phoneNumber"
          name="phoneNumber"
          type="tel"
          autoComplete="tel"
          placeholder="+14155550123"
          defaultValue={typed}
          aria-invalid={errors.fields.phoneNumber !== null}
          aria-describedby="phoneNumber-problem"
          required
        />
        <FieldProblem id="phoneNumber-problem" error={errors.fields.phoneNumber} />
        <GlobalProblems errors={errors.global} />
        {/* Where the SDK draws its check for bots, if the server asks for one. */}
        <div id="clerk-captcha" />
        <button type="submit" disabled={fetchStatus === 'fetching'}>
          Sign up
        </button>
      </form>
      <p>
        <Link href="/sign-up/email">Use an e-mail address instead</Link>
      </p>
    </>
  )
}
