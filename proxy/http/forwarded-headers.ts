/** Headers between neighbours only (RFC 9110 section 7.6.1), by lower-case name. `Host` is set anew where it is needed. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
])

/**
 * Raw headers (name, value, name, value …) without those between neighbours, those that `Connection` names, and those in
 * `dropped` (lower case).
 */
export function endToEndHeaders(raw: readonly string[], dropped: ReadonlySet<string>): string[] {
  const named = connectionOptions(raw)
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const lower = name.toLowerCase()
    if (HOP_BY_HOP.has(lower) || dropped.has(lower) || named?.has(lower) === true) continue
    kept.push(name, raw[at + 1] ?? '')
  }
  return kept
}

/** A caller must not make us drop what frames the message or names the host. */
const NOT_DROPPABLE: ReadonlySet<string> = new Set(['content-length', 'host', 'content-type'])

function connectionOptions(raw: readonly string[]): ReadonlySet<string> | null {
  let named: Set<string> | null = null
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== 'connection') continue
    for (const part of (raw[at + 1] ?? '').toLowerCase().split(',')) {
      const option = part.trim()
      if (option === 'keep-alive' || option === 'close' || NOT_DROPPABLE.has(option)) continue
      named ??= new Set()
      named.add(option)
    }
  }
  return named
}

/** The first value of a header among raw ones; undefined when absent. `name` in lower case. */
export function rawHeader(raw: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const candidate = raw[at] ?? ''
    if (candidate.length === name.length && candidate.toLowerCase() === name) return raw[at + 1]
  }
  return undefined
}
