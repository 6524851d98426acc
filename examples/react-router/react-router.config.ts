import type { Config } from '@react-router/dev/config'

export default {
  future: { v8_middleware: true }, // the SDK's middleware and getAuth() need it
} satisfies Config
