import { type Labels, labelsKey } from '../model/labels.ts'

/** One alert of a rule. Times are epoch milliseconds, those of evaluations. */
export interface AlertInstance {
  /** Final labels, with `alertname`. */
  readonly labels: Labels
  readonly annotations: Labels
  /** At the last evaluation that had it. */
  readonly value: number
  readonly state: 'pending' | 'firing' | 'inactive'
  /** When its condition began to hold. */
  readonly activeAtMs: number
  /** When it began to fire; null while pending. */
  readonly firedAtMs: number | null
  /** When it ended; null unless inactive. */
  readonly resolvedAtMs: number | null
  /** Since when it fires without its condition; null while the condition holds. */
  readonly keepFiringSinceMs: number | null
  /** When alerting was told last; null: never. */
  readonly lastSentAtMs: number | null
}

/** An element of the rule's result, labels and annotations expanded. */
export interface ActiveElement {
  readonly labels: Labels
  readonly annotations: Labels
  readonly value: number
}

/** Alerts of one rule by {@link labelsKey}. */
export type AlertStates = ReadonlyMap<string, AlertInstance>

/** The rule's times, milliseconds. */
export interface AlertTimes {
  readonly holdMs: number
  readonly keepFiringForMs: number
}

/** How long an alert that has ended is still told about, milliseconds. */
export const RESOLVED_RETENTION_MS = 15 * 60_000

/**
 * The alerts of a rule after an evaluation, as Prometheus has them:
 *
 *     (none)   → pending   the result has it; → firing in the same evaluation when it was active for `for` (0: at once)
 *     pending  → firing    still there, and active for `for`
 *     pending  → (none)    gone
 *     firing   → pending   still there, and `for` has become longer than it is active
 *     firing   → firing    gone for less than `keep_firing_for`
 *     firing   → inactive  gone
 *     inactive → pending   there again: a new alert
 *     inactive → (none)    15 minutes later
 *
 * `elements` have different labels. A clock that went back makes no alert fire, end or vanish: what would lie in the future is moved to now.
 */
export function nextAlertState(
  previous: AlertStates,
  elements: readonly ActiveElement[],
  times: AlertTimes,
  nowMs: number,
): Map<string, AlertInstance> {
  const next = new Map<string, AlertInstance>()
  const present = new Set<string>()
  for (const element of elements) {
    const key = labelsKey(element.labels)
    present.add(key)
    const known = previous.get(key)
    const alert = known === undefined || known.state === 'inactive' ? newAlert(element, nowMs) : known
    next.set(key, advance({ ...alert, ...element, keepFiringSinceMs: null }, times, nowMs))
  }
  for (const [key, alert] of previous) {
    if (present.has(key)) continue
    const left = withoutCondition(alert, times, nowMs)
    if (left !== null) next.set(key, left)
  }
  return next
}

function newAlert(element: ActiveElement, nowMs: number): AlertInstance {
  return {
    ...element,
    state: 'pending',
    activeAtMs: nowMs,
    firedAtMs: null,
    resolvedAtMs: null,
    keepFiringSinceMs: null,
    lastSentAtMs: null,
  }
}

/** An alert whose condition holds. */
function advance(alert: AlertInstance, times: AlertTimes, nowMs: number): AlertInstance {
  const isHeld = nowMs - alert.activeAtMs >= times.holdMs
  if (alert.state === 'pending') {
    if (isHeld) return { ...alert, state: 'firing', firedAtMs: nowMs }
    return { ...alert, activeAtMs: Math.min(alert.activeAtMs, nowMs) }
  }
  const wentBack = nowMs < (alert.firedAtMs ?? nowMs)
  return isHeld || wentBack ? alert : { ...alert, state: 'pending', firedAtMs: null }
}

/** An alert whose condition does not hold. */
function withoutCondition(alert: AlertInstance, times: AlertTimes, nowMs: number): AlertInstance | null {
  if (alert.state === 'pending') return null
  if (alert.state === 'inactive') {
    return nowMs - (alert.resolvedAtMs ?? nowMs) > RESOLVED_RETENTION_MS ? null : alert
  }
  const since = Math.min(alert.keepFiringSinceMs ?? nowMs, nowMs)
  if (times.keepFiringForMs > 0 && nowMs - since < times.keepFiringForMs) {
    return { ...alert, keepFiringSinceMs: since }
  }
  return { ...alert, state: 'inactive', resolvedAtMs: nowMs }
}

/** Whether alerting is to hear of an alert: it has ended since the last time, or that was `resendDelayMs` ago. */
export function needsSending(alert: AlertInstance, nowMs: number, resendDelayMs: number): boolean {
  if (alert.state === 'pending') return false
  const { lastSentAtMs, resolvedAtMs } = alert
  if (lastSentAtMs === null || lastSentAtMs > nowMs) return true
  if (resolvedAtMs !== null && resolvedAtMs > lastSentAtMs) return true
  return lastSentAtMs + resendDelayMs < nowMs
}
