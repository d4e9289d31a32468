import type { Labels } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import { compileMatchers } from '../routing/route.ts'

/** Alerts that match are not told from `startsAtMs` (included) to `endsAtMs` (excluded), epoch milliseconds. */
export interface Silence {
  readonly id: string
  readonly tenant: string
  readonly matchers: readonly Matcher[]
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly createdBy: string
  readonly comment: string
  readonly annotations: Readonly<Record<string, string>>
  readonly updatedAtMs: number
}

/** Where a silence is in its life. */
export function silenceState(silence: Silence, nowMs: number): 'pending' | 'active' | 'expired' {
  if (nowMs >= silence.endsAtMs) return 'expired'
  return nowMs < silence.startsAtMs ? 'pending' : 'active'
}

/** Ids of the active silences that cover the labels. */
export function silencedBy(
  silences: Iterable<Silence>,
  tenant: string,
  labels: Labels,
  nowMs: number,
): string[] {
  const ids: string[] = []
  for (const silence of silences) {
    if (silence.tenant !== tenant || silenceState(silence, nowMs) !== 'active') continue
    if (testOf(silence)(labels)) ids.push(silence.id)
  }
  return ids.sort()
}

// A silence never changes in place, so its test may be kept as long as it lives.
const tests = new WeakMap<Silence, (labels: Labels) => boolean>()

function testOf(silence: Silence): (labels: Labels) => boolean {
  let test = tests.get(silence)
  if (test === undefined) {
    test = compileMatchers(silence.matchers)
    tests.set(silence, test)
  }
  return test
}
