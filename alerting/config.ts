import { z } from 'zod'
import { isNetwork } from './webhook/destination-policy.ts'

const networks = z
  .array(z.string().refine(isNetwork, { message: 'expected a network such as 10.0.0.0/8 or fd00::/8' }))
  .default([])

/** Section `alerting`: where the Alertmanager configuration stands. */
export const alertingConfig = z.strictObject({
  /** An Alertmanager configuration file; null: nobody is notified. */
  configFile: z.string().min(1).nullable().default(null),
  /** Where webhooks may go; judged by address when they connect. */
  webhook: z
    .strictObject({
      /** Loopback and private networks, where receivers inside the cluster are. Metadata services never. */
      allowPrivate: z.boolean().default(true),
      /** Networks that are allowed whatever else is said. */
      allow: networks,
      /** Networks that are refused unless allowed above. */
      deny: networks,
    })
    .prefault({}),
})

/** Section `alerting`, parsed. */
export type AlertingConfig = Readonly<z.output<typeof alertingConfig>>
