import type { AlertRule } from '../model/alert.ts'
import type { Labels } from '../model/labels.ts'
import type { Evidence } from './evidence.ts'
import type { EmailSettings, WebhookSettings } from './receiver.ts'

/** Why a message is sent, in Alertmanager's words. */
export type NotificationReason =
  | 'first notification'
  | 'new alerts added'
  | 'some alerts resolved'
  | 'all alerts resolved'
  | 'repeat interval elapsed'
  | 'unknown'

/** One alert in a message. Times epoch milliseconds. */
export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  /** Null while it fires. */
  readonly endsAtMs: number | null
  readonly generatorUrl: string
  /** 16 hex digits. */
  readonly fingerprint: string
  readonly value: number | null
  readonly rule: AlertRule | null
}

/** A message as it was decided, before any channel gave it its form. JSON through and through: the outbox keeps it. */
export interface Notification {
  /** Stable over attempts and restarts: the receiver may use it to take a message once. */
  readonly id: string
  readonly tenant: string
  readonly receiver: string
  /** Alertmanager's group key, `{}/{severity="page"}:{alertname="X"}`. */
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly routeLabels: Labels
  /** `firing` when any alert fires. */
  readonly status: 'firing' | 'resolved'
  readonly reason: NotificationReason
  /** The whole group in Alertmanager's order: those that fire and those resolved since the last message. */
  readonly alerts: readonly NotifiedAlert[]
  readonly createdAtMs: number
  /**
   * True: alerts in here began and ended while nothing could be delivered, and this is the first that is heard of them.
   * The message should say so.
   */
  readonly isLate: boolean
  readonly externalUrl: string
  /** Null when none was gathered. */
  readonly evidence: Evidence | null
}

/** What an attempt may know of itself. */
export interface AttemptContext {
  /** 1 for the first. */
  readonly attempt: number
  /** Epoch milliseconds. */
  readonly nowMs: number
  /** Recipients still to be told after a partial delivery; null: all. */
  readonly recipients: readonly string[] | null
  /** Aborted when the attempt has lasted too long or the program stops. */
  readonly signal: AbortSignal
}

/** What a receiver answered: for people, shown by `/api/notifications`. */
export interface DeliveryReceipt {
  /** `200 OK`, `250 2.0.0 queued as 4Xyz`: cut to 300 characters. */
  readonly response: string
  /** Each recipient's fate where there are several. */
  readonly recipients?: readonly {
    readonly recipient: string
    readonly fate: 'accepted' | 'retry' | 'rejected'
    readonly response: string
  }[]
}

/** How one attempt ended. A rejected promise counts as `retry`. */
export type DeliveryOutcome =
  | { readonly outcome: 'delivered'; readonly receipt: DeliveryReceipt }
  /** Some recipients have it. Those in `retry` are tried again; empty: the others are rejected for good. */
  | {
      readonly outcome: 'partially'
      readonly receipt: DeliveryReceipt
      readonly retry: readonly string[]
      readonly reason: string
    }
  | {
      readonly outcome: 'retry'
      readonly reason: string
      readonly retryAfterMs?: number
      readonly receipt?: DeliveryReceipt
    }
  | { readonly outcome: 'permanent'; readonly reason: string; readonly receipt?: DeliveryReceipt }

/** One entry of a receiver, able to deliver. */
export interface Notifier {
  readonly integration: 'webhook' | 'email'
  /** Delivers once, within the signal's time. Never retries by itself. */
  notify(notification: Notification, attempt: AttemptContext): Promise<DeliveryOutcome>
  /** Frees connections. */
  close?(): Promise<void>
}

/** A file of `templates:`, read when the configuration was loaded. */
export interface TemplateFile {
  readonly path: string
  readonly text: string
}

/** What all notifiers of one configuration share. */
export interface NotifierContext {
  readonly templates: readonly TemplateFile[]
}

/** Makes notifiers from their settings; called again for every configuration that is loaded. */
export interface NotifierFactory {
  webhook(settings: WebhookSettings, context: NotifierContext): Notifier
  email(settings: EmailSettings, context: NotifierContext): Notifier
}
