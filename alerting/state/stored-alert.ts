import type { AlertNotice, AlertRule } from '../../model/alert.ts'
import { fingerprint } from '../../model/fingerprint.ts'
import type { Labels } from '../../model/labels.ts'

/** An alert as alerting knows it. Times epoch milliseconds. */
export interface StoredAlert {
  readonly tenant: string
  readonly fingerprint: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  /** It fires until then, unless there is news. */
  readonly endsAtMs: number
  readonly updatedAtMs: number
  readonly generatorUrl: string
  readonly value: number | null
  readonly rule: AlertRule | null
}

/** The key of an alert among those of all tenants. */
export function alertKey(tenant: string, print: string): string {
  return `${tenant}\n${print}`
}

/** Whether it fires at `nowMs`. */
export function isFiring(alert: StoredAlert, nowMs: number): boolean {
  return alert.endsAtMs > nowMs
}

/**
 * What is known of an alert after a notice. While it fires, it keeps its earliest beginning; annotations are the newest
 * (Alertmanager's `Alert.Merge`).
 */
export function mergeNotice(known: StoredAlert | null, notice: AlertNotice, nowMs: number): StoredAlert {
  const endsAtMs = notice.isResolved ? Math.min(notice.endsAtMs, nowMs) : notice.endsAtMs
  const isSameEpisode = known !== null && known.endsAtMs >= notice.startsAtMs
  return {
    tenant: notice.tenant,
    fingerprint: known?.fingerprint ?? fingerprint(notice.labels),
    labels: notice.labels,
    annotations: notice.annotations,
    startsAtMs: isSameEpisode ? Math.min(known.startsAtMs, notice.startsAtMs) : notice.startsAtMs,
    endsAtMs,
    updatedAtMs: nowMs,
    generatorUrl: notice.generatorUrl,
    value: notice.value ?? known?.value ?? null,
    rule: notice.rule ?? known?.rule ?? null,
  }
}

/** Whether a restart must know the difference: a beginning or an end, not news that it still fires. */
export function isTransition(known: StoredAlert | null, next: StoredAlert, nowMs: number): boolean {
  return (
    known === null ||
    known.startsAtMs !== next.startsAtMs ||
    isFiring(known, nowMs) !== isFiring(next, nowMs) ||
    (!isFiring(next, nowMs) && known.endsAtMs !== next.endsAtMs)
  )
}
