import { ClerkProvider, Show, useClerk, useUser } from '@clerk/expo'
import { useState } from 'react'
import { Platform, ScrollView, Text } from 'react-native'
import { Button } from './forms'
import { SignInScreen, SignUpScreen } from './screens'

const web = Platform.OS === 'web'

// A real app has a router; here a button chooses among these three, on the web also the address.
const screens = { 'sign-up': SignUpScreen, 'sign-in': SignInScreen }

export default function App() {
  const [screen, setScreen] = useState(web ? new URLSearchParams(location.search).get('screen') : null)
  const Screen = screens[screen] ?? StartScreen

  return (
    <ClerkProvider
      publishableKey={process.env.EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY}
      proxyUrl={process.env.EXPO_PUBLIC_CLERK_PROXY_URL}
      // Only browsers load these; without them they are asked for over https.
      __internal_clerkJSUrl={process.env.EXPO_PUBLIC_CLERK_JS_URL}
      __internal_clerkUIUrl={process.env.EXPO_PUBLIC_CLERK_UI_URL}
    >
      <ScrollView contentContainerStyle={{ maxWidth: 416, padding: 16, gap: 8 }}>
        <Show when="signed-out">
          <Screen go={setScreen} />
        </Show>
        <Show when="signed-in">
          <AccountScreen />
        </Show>
      </ScrollView>
    </ClerkProvider>
  )
}

function StartScreen({ go }) {
  return (
    <>
      <Text role="heading">You are signed out</Text>
      <Button title="Go to sign-up" onPress={() => go('sign-up')} />
      <Button title="Go to sign-in" onPress={() => go('sign-in')} />
    </>
  )
}

function AccountScreen() {
  const { signOut } = useClerk()
  const { user } = useUser()

  return (
    <>
      <Text role="heading">You are signed in</Text>
      <Text testID="user-id">{user?.id}</Text>
      <Text testID="phone">{user?.primaryPhoneNumber?.phoneNumber}</Text>
      <Button title="Sign out" onPress={() => signOut()} />
    </>
  )
}
