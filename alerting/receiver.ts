import type { SecretSource } from './secret-source.ts'

/** One receiver of the configuration: a name and what is told under it. */
export interface Receiver {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly webhooks: readonly WebhookSettings[]
  readonly emails: readonly EmailSettings[]
}

/** An entry of `webhook_configs`, with what the global section gives it. */
export interface WebhookSettings {
  readonly kind: 'webhook'
  readonly sendResolved: boolean
  /** A Go template, usually without actions. */
  readonly url: SecretSource
  /** Alerts in one message; 0: all. */
  readonly maxAlerts: number
  /** Of one attempt, milliseconds; 0: none of its own. */
  readonly timeoutMs: number
  readonly http: HttpSettings
  /** `whsec_…` of Standard Webhooks (`signing_secret`, ours); null: not signed. */
  readonly signingSecret: SecretSource | null
}

/** `http_config`. */
export interface HttpSettings {
  readonly basicAuth: { readonly username: string; readonly password: SecretSource | null } | null
  readonly authorization: { readonly type: string; readonly credentials: SecretSource | null } | null
  readonly headers: readonly { readonly name: string; readonly values: readonly SecretSource[] }[]
  readonly tls: TlsClientSettings
}

/** `tls_config` of a client. Files are read when a connection is made. */
export interface TlsClientSettings {
  readonly caFile: string | null
  readonly ca: string | null
  readonly certFile: string | null
  readonly keyFile: string | null
  readonly serverName: string | null
  readonly insecureSkipVerify: boolean
}

/** An entry of `email_configs`, with what the global section gives it. */
export interface EmailSettings {
  readonly kind: 'email'
  readonly sendResolved: boolean
  /** As configured: addresses separated by commas. */
  readonly to: string
  readonly from: string
  readonly smarthost: { readonly host: string; readonly port: number }
  readonly hello: string
  readonly authUsername: string | null
  readonly authPassword: SecretSource | null
  readonly authIdentity: string | null
  readonly authSecret: SecretSource | null
  readonly requireTls: boolean
  /** Null: where the port is 465. */
  readonly forceImplicitTls: boolean | null
  readonly tls: TlsClientSettings
  /** Go templates; null: the default. */
  readonly html: string | null
  readonly text: string | null
  /** Header names as configured, values Go templates; `Subject` among them when it is configured. */
  readonly headers: Readonly<Record<string, string>>
  readonly threading: { readonly isEnabled: boolean; readonly threadByDate: 'daily' | 'none' }
}
