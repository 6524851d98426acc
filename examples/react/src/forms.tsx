type Problem = { message: string; longMessage?: string }

type FormProps = {
  problem: Problem | null // with the form's one field
  problems: Problem[] | null // with none in particular: too many tries, an expired code
  busy: boolean
  onSubmit: (value: string) => Promise<void>
}

export function PhoneForm({ title, ...form }: FormProps & { title: string }) {
  return (
    <form onSubmit={submitted(form)}>
      <h1>{title}</h1>
      <label htmlFor="phone">Phone number</label>
      <input id="phone" name="value" type="tel" autoComplete="tel" placeholder="+14155550123" required />
      <Problems {...form} />
      <button disabled={form.busy}>{title}</button>
    </form>
  )
}

export function CodeForm({ to, ...form }: FormProps & { to: string | null }) {
  return (
    <form onSubmit={submitted(form)}>
      <h1>Verify your phone number</h1>
      <p>We sent a code to {to}.</p>
      <label htmlFor="code">Enter your verification code</label>
      <input id="code" name="value" inputMode="numeric" autoComplete="one-time-code" required />
      <Problems {...form} />
      <button disabled={form.busy}>Verify</button>
    </form>
  )
}

function submitted({ onSubmit }: FormProps) {
  return (event: React.FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    void onSubmit(new FormData(event.currentTarget).get('value') as string)
  }
}

function Problems({ problem, problems }: FormProps) {
  return [problem, ...(problems ?? [])].map(
    (each) => each && <p key={each.message} role="alert">{each.longMessage ?? each.message}</p>,
  )
}
