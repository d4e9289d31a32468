import { createHash } from 'node:crypto'
import type { Rule } from './rule-group.ts'

/**
 * Texts that identify the rules of a group over restarts and reloads: kind, name and labels (as Prometheus matches them), and the place
 * among equals. The expression and the times may change without the rule becoming another.
 */
export function ruleKeys(rules: readonly Rule[]): readonly string[] {
  const seen = new Map<string, number>()
  return rules.map(({ kind, name, labels }) => {
    const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    const hash = createHash('sha256')
      .update(JSON.stringify([kind, name, sorted]))
      .digest('hex')
      .slice(0, 16)
    const before = seen.get(hash) ?? 0
    seen.set(hash, before + 1)
    return before === 0 ? hash : `${hash}/${before}`
  })
}
