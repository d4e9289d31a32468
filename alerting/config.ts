import { z } from 'zod'

/** Section `alerting`: where the Alertmanager configuration stands. */
export const alertingConfig = z.strictObject({
  /** An Alertmanager configuration file; null: nobody is notified. */
  configFile: z.string().min(1).nullable().default(null),
})

/** Section `alerting`, parsed. */
export type AlertingConfig = Readonly<z.output<typeof alertingConfig>>
