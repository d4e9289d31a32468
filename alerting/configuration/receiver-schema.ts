import { z } from 'zod'
import { createSecret } from '../../runtime/secret.ts'
import type {
  EmailSettings,
  HttpSettings,
  Receiver,
  TlsClientSettings,
  WebhookSettings,
} from '../receiver.ts'
import type { SecretSource } from '../secret-source.ts'
import { DEFAULT_TLS, exclusive, httpSchema, secretFile, secretValue, tlsSchema } from './http-schema.ts'
import { duration, labelMap, text } from './value-schemas.ts'

/** The receiver kinds of Alertmanager that are not here. */
export const UNSUPPORTED_RECEIVERS: ReadonlySet<string> = new Set(
  [
    'discord',
    'incidentio',
    'jira',
    'mattermost',
    'msteams',
    'msteamsv2',
    'opsgenie',
    'pagerduty',
    'pushover',
    'rocketchat',
    'slack',
    'sns',
    'telegram',
    'victorops',
    'webex',
    'wechat',
  ].map((kind) => `${kind}_configs`),
)

/** What the global section gives to receivers. */
export interface GlobalDefaults {
  readonly http: HttpSettings
  readonly smtp: {
    readonly from: string | null
    readonly smarthost: EmailSettings['smarthost'] | null
    readonly hello: string
    readonly authUsername: string | null
    readonly authPassword: SecretSource | null
    readonly authIdentity: string | null
    readonly authSecret: SecretSource | null
    readonly requireTls: boolean
    readonly forceImplicitTls: boolean | null
    readonly tls: TlsClientSettings
  }
}

/** `host:port`. */
export const smarthost = z.string().transform((value, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(value)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  if (match !== null && host !== '' && port > 0 && port < 65_536) return { host, port }
  context.addIssue({ code: 'custom', message: `address ${value}: expected host:port` })
  return z.NEVER
})

const header = z.record(z.string().regex(/^[!-9;-~]+$/, 'expected the name of a header'), text)

/** An entry of `email_configs`, before the global section fills it. */
export function emailSchema(folder: string) {
  const file = secretFile(folder)
  return z
    .strictObject({
      send_resolved: z.boolean().default(false),
      to: z.string().min(1, 'missing to address in email config'),
      from: z.string().optional(),
      hello: z.string().optional(),
      smarthost: smarthost.optional(),
      auth_username: z.string().optional(),
      auth_password: secretValue.optional(),
      auth_password_file: file.optional(),
      auth_secret: secretValue.optional(),
      auth_secret_file: file.optional(),
      auth_identity: z.string().optional(),
      headers: header.optional(),
      html: z.string().optional(),
      text: z.string().optional(),
      require_tls: z.boolean().optional(),
      force_implicit_tls: z.boolean().nullish(),
      tls_config: tlsSchema(folder).optional(),
      threading: z
        .strictObject({
          enabled: z.boolean().default(false),
          thread_by_date: z.enum(['daily', 'none']).default('daily'),
        })
        .optional(),
    })
    .superRefine(exclusive('auth_password', 'auth_password_file'))
    .superRefine(exclusive('auth_secret', 'auth_secret_file'))
    .superRefine((email, context) => {
      const seen = new Set<string>()
      for (const name of Object.keys(email.headers ?? {})) {
        const lower = name.toLowerCase()
        if (seen.has(lower)) {
          context.addIssue({
            code: 'custom',
            path: ['headers', name],
            message: `duplicate header ${JSON.stringify(name)} in email config`,
          })
        }
        seen.add(lower)
      }
    })
}

/** An entry of `webhook_configs`, before the global section fills it. `signing_secret` is ours. */
export function webhookSchema(folder: string) {
  const file = secretFile(folder)
  return z
    .strictObject({
      send_resolved: z.boolean().default(true),
      url: z
        .string()
        .refine((url) => url.includes('{{') || isHttpUrl(url), { message: 'expected an http or https URL' })
        .transform((url): SecretSource => ({ value: createSecret(url) }))
        .optional(),
      url_file: file.optional(),
      http_config: httpSchema(folder).optional(),
      max_alerts: z.int().min(0).default(0),
      timeout: duration.default(0),
      signing_secret: secretValue.optional(),
      signing_secret_file: file.optional(),
    })
    .superRefine(exclusive('url', 'url_file'))
    .superRefine(exclusive('signing_secret', 'signing_secret_file'))
    .refine((webhook) => (webhook.url ?? webhook.url_file ?? null) !== null, {
      message: 'one of url or url_file must be configured',
    })
}

/** An entry of `receivers`. */
export function receiverSchema(folder: string) {
  return z.strictObject({
    name: z.string().min(1, 'missing name in receiver'),
    labels: labelMap.optional(),
    webhook_configs: z.array(webhookSchema(folder)).nullish(),
    email_configs: z.array(emailSchema(folder)).nullish(),
  })
}

/** Whether a text is an http or https URL with a host. */
function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}

/** A receiver with what the global section gives it. `report` hears what is missing, with its path inside the receiver. */
export function completeReceiver(
  given: z.output<ReturnType<typeof receiverSchema>>,
  defaults: GlobalDefaults,
  report: (path: readonly PropertyKey[], message: string) => void,
): Receiver {
  return {
    name: given.name,
    labels: given.labels ?? {},
    webhooks: (given.webhook_configs ?? []).flatMap((webhook): WebhookSettings[] => {
      const url = webhook.url ?? webhook.url_file
      if (url === undefined || url === null) return []
      return [
        {
          kind: 'webhook',
          sendResolved: webhook.send_resolved,
          url,
          maxAlerts: webhook.max_alerts,
          timeoutMs: webhook.timeout,
          http: webhook.http_config ?? defaults.http,
          signingSecret: webhook.signing_secret ?? webhook.signing_secret_file ?? null,
        },
      ]
    }),
    emails: (given.email_configs ?? []).flatMap((email, index) =>
      completeEmail(email, defaults.smtp, (message) => report(['email_configs', index], message)),
    ),
  }
}

function completeEmail(
  email: z.output<ReturnType<typeof emailSchema>>,
  smtp: GlobalDefaults['smtp'],
  report: (message: string) => void,
): EmailSettings[] {
  const host = email.smarthost ?? smtp.smarthost
  const from = email.from ?? smtp.from
  if (host === null) report('no smtp_smarthost is configured globally, and no smarthost here')
  if (from === null) report('no smtp_from is configured globally, and no from here')
  if (host === null || from === null) return []
  return [
    {
      kind: 'email',
      sendResolved: email.send_resolved,
      to: email.to,
      from,
      smarthost: host,
      hello: email.hello ?? smtp.hello,
      authUsername: email.auth_username ?? smtp.authUsername,
      authPassword: email.auth_password ?? email.auth_password_file ?? smtp.authPassword,
      authIdentity: email.auth_identity ?? smtp.authIdentity,
      authSecret: email.auth_secret ?? email.auth_secret_file ?? smtp.authSecret,
      requireTls: email.require_tls ?? smtp.requireTls,
      forceImplicitTls: email.force_implicit_tls ?? smtp.forceImplicitTls,
      tls: email.tls_config ?? smtp.tls ?? DEFAULT_TLS,
      html: email.html ?? null,
      text: email.text ?? null,
      headers: email.headers ?? {},
      threading: {
        isEnabled: email.threading?.enabled ?? false,
        threadByDate: email.threading?.thread_by_date ?? 'daily',
      },
    },
  ]
}
