import { useState } from 'react'
import { Pressable, Text, TextInput, View } from 'react-native'

export function Button({ title, ...more }) {
  return (
    <Pressable role="button" style={{ padding: 12, borderWidth: 1, borderRadius: 8 }} {...more}>
      <Text>{title}</Text>
    </Pressable>
  )
}

/** A form with one field: `problem` is about that field, `problems` are about none. */
function OneFieldForm({ title, action, label, problem, problems, busy, onSubmit, ...field }) {
  const [value, setValue] = useState('')

  return (
    <View role="form" style={{ gap: 8 }}>
      <Text role="heading">{title}</Text>
      <TextInput
        aria-label={label}
        value={value}
        onChangeText={setValue}
        onSubmitEditing={() => onSubmit(value)}
        style={{ padding: 12, borderWidth: 1, borderRadius: 8 }}
        {...field}
      />
      {[problem, ...(problems ?? [])].map(
        (each) => each && <Text key={each.message} role="alert">{each.longMessage ?? each.message}</Text>,
      )}
      <Button title={action} disabled={busy} onPress={() => onSubmit(value)} />
    </View>
  )
}

export function PhoneForm({ title, ...form }) {
  return (
    <OneFieldForm
      title={title}
      action={title}
      label="Phone number"
      inputMode="tel"
      autoComplete="tel"
      placeholder="+14155550123"
      {...form}
    />
  )
}

export function CodeForm({ to, ...form }) {
  return (
    <OneFieldForm
      title={`We sent a code to ${to}`}
      action="Verify"
      label="Enter your verification code"
      inputMode="numeric"
      autoComplete="one-time-code"
      {...form}
    />
  )
}
