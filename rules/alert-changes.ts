import type { StoredAlert } from './alert-store.ts'
import type { AlertInstance, AlertStates } from './next-alert-state.ts'

/** Whose alerts they are. */
export interface AlertOwner {
  readonly group: string
  readonly rule: string
  readonly alertName: string
}

/** How old what is stored of an active alert may become, milliseconds: a restart learns from it how long nobody looked. */
export const REFRESH_MS = 5 * 60_000

/**
 * What must be stored after an evaluation at `atMs`: every alert that has changed its state or its times, and active ones whose row is
 * older than {@link REFRESH_MS}. `storedAt` says for each key when its row was made and is brought up to date.
 */
export function alertChanges(
  before: AlertStates,
  after: AlertStates,
  owner: AlertOwner,
  atMs: number,
  storedAt: Map<string, number>,
): readonly StoredAlert[] {
  const changes: StoredAlert[] = []
  for (const [key, alert] of after) {
    const old = before.get(key)
    const age = atMs - (storedAt.get(key) ?? Number.NEGATIVE_INFINITY)
    const isAged = alert.state !== 'inactive' && age >= REFRESH_MS
    if (!isAged && old !== undefined && !hasChanged(old, alert)) continue
    const from = old?.state === alert.state ? null : (old?.state ?? 'none')
    changes.push({ ...owner, alert, isGone: false, from, atMs })
    storedAt.set(key, atMs)
  }
  for (const [key, alert] of before) {
    if (after.has(key)) continue
    const from = alert.state === 'inactive' ? null : alert.state
    changes.push({ ...owner, alert, isGone: true, from, atMs })
    storedAt.delete(key)
  }
  return changes
}

function hasChanged(old: AlertInstance, alert: AlertInstance): boolean {
  // A firing alert is told about again and again; that alone is not worth a row.
  return (
    old.state !== alert.state ||
    old.activeAtMs !== alert.activeAtMs ||
    old.firedAtMs !== alert.firedAtMs ||
    old.keepFiringSinceMs !== alert.keepFiringSinceMs ||
    (old.lastSentAtMs === null) !== (alert.lastSentAtMs === null) ||
    isEndTold(old) !== isEndTold(alert)
  )
}

function isEndTold({ resolvedAtMs, lastSentAtMs }: AlertInstance): boolean {
  return resolvedAtMs !== null && lastSentAtMs !== null && lastSentAtMs >= resolvedAtMs
}
