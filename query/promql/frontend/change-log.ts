/** What queries read: samples, and spans, of which the span metrics are made. */
export type ChangeSource = 'samples' | 'spans'

/**
 * Remembers since when the past has changed: which answers of before still hold. Counts every insert that it is told of; times are epoch
 * milliseconds.
 */
export interface ChangeLog {
  /** How many changes there have been. An answer that was computed from now on knows of them all. */
  generation(): number
  /** Rows of some tenants (null: of all) with times from `fromMs` on can be read from now on. */
  note(source: ChangeSource, tenants: readonly string[] | null, fromMs: number): void
  /** The earliest time that has changed after a generation; Infinity: nothing has. */
  changedSince(generation: number, tenant: string, sources: readonly ChangeSource[]): number
}

/** Beyond this the oldest changes are remembered as one. */
const MAX_REMEMBERED = 4096

/** Senders may be allowed to name their tenants: beyond so many everything is forgotten, and no answer of before holds. */
const MAX_TENANTS = 10_000

/** Makes an empty log. */
export function createChangeLog(maxRemembered = MAX_REMEMBERED, maxTenants = MAX_TENANTS): ChangeLog {
  let generation = 0
  let forgottenUpTo = 0
  const logs = new Map<string, Change[]>()
  const keyOf = (source: ChangeSource, tenant: string | null) =>
    `${source} ${tenant === null ? '*' : `=${tenant}`}`
  const logOf = (source: ChangeSource, tenant: string | null): Change[] => {
    const key = keyOf(source, tenant)
    const known = logs.get(key)
    if (known !== undefined) return known
    if (logs.size >= 2 * maxTenants) {
      logs.clear()
      forgottenUpTo = generation
    }
    const log: Change[] = []
    logs.set(key, log)
    return log
  }
  return {
    generation: () => generation,
    note(source, tenants, fromMs) {
      generation += 1
      for (const tenant of tenants ?? [null])
        remember(logOf(source, tenant), generation, fromMs, maxRemembered)
    },
    changedSince(since, tenant, sources) {
      if (since < forgottenUpTo) return Number.NEGATIVE_INFINITY
      const all = sources.flatMap((source) => [keyOf(source, tenant), keyOf(source, null)])
      return Math.min(...all.map((key) => earliestAfter(logs.get(key) ?? [], since)))
    },
  }
}

interface Change {
  readonly generation: number
  readonly fromMs: number
}

/** Of two changes the later one hides an earlier one that does not reach further back: so both numbers ascend. */
function remember(log: Change[], generation: number, fromMs: number, max: number): void {
  while (log.length > 0 && (log[log.length - 1] as Change).fromMs >= fromMs) log.pop()
  log.push({ generation, fromMs })
  if (log.length <= max) return
  const half = log.length >>> 1
  const merged = { generation: (log[half] as Change).generation, fromMs: (log[0] as Change).fromMs }
  log.splice(0, half + 1, merged)
}

function earliestAfter(log: readonly Change[], generation: number): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((log[middle] as Change).generation <= generation) low = middle + 1
    else high = middle
  }
  return log[low]?.fromMs ?? Number.POSITIVE_INFINITY
}
