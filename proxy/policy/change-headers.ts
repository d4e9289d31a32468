import type { HeaderChange } from './proxy-policy.ts'

/**
 * Applies changes to raw headers (name, value, name, value …): of each change first what is removed, then what is set, then what
 * is added, as Envoy's `HeaderParser`. The same array when there is nothing to do.
 */
export function changeHeaders(raw: readonly string[], changes: readonly HeaderChange[]): readonly string[] {
  return changes.reduce(changeOnce, raw)
}

function changeOnce(raw: readonly string[], change: HeaderChange): readonly string[] {
  const { remove, set, add } = change
  if (remove.length === 0 && set.length === 0 && add.length === 0) return raw
  const gone = new Set([...remove, ...set.map(([name]) => name)])
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!gone.has(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '')
  }
  return [...kept, ...set.flat(), ...add.flat()]
}
