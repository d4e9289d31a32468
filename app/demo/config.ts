import { z } from 'zod'
import { portSetting } from '../../runtime/config.ts'

/** Section `demo`: what `npm run demo` adds to the server. Everything listens on 127.0.0.1. */
export const demoConfig = z.strictObject({
  /** The page with the messages that came; it takes the webhooks too. */
  mailboxPort: portSetting.default(9798),
  /** The mail server that takes the mails. */
  smtpPort: portSetting.default(0),
  /** The shop, behind its proxy. */
  shopPort: portSetting.default(0),
  /** Load on the shop; with less than 15 the circuit breaker would not overflow. */
  requestsPerSecond: z.int().min(15).max(200).default(20),
})

/** Section `demo`, parsed. */
export type DemoConfig = Readonly<z.output<typeof demoConfig>>
