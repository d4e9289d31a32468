const UNIT_NS = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
} as const

const TERM = /(\d+)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)|\.(\d+)(ns|us|µs|μs|ms|s|m|h)/y
const LONGEST_NS = 2n ** 63n - 1n

/**
 * Reads a duration as Go's `time.ParseDuration` does (Jaeger and Tempo take theirs so): `1h30m`, `1.5s`, `250us`; `0`
 * needs no unit. Returns nanoseconds, rounded down; null when it is none, is negative or does not fit in int64.
 */
export function parseGoDuration(text: string): bigint | null {
  if (text === '0') return 0n
  if (text === '') return null
  let sum = 0n
  TERM.lastIndex = 0
  while (TERM.lastIndex < text.length) {
    const match = TERM.exec(text)
    if (match === null) return null
    const unit = UNIT_NS[(match[3] ?? match[5]) as keyof typeof UNIT_NS]
    const fraction = match[2] ?? match[4] ?? ''
    sum += BigInt(match[1] ?? '0') * unit
    if (fraction !== '') sum += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length)
    if (sum > LONGEST_NS) return null
  }
  return sum
}
