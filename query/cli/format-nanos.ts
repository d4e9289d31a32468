const UNITS = [
  ['s', 1_000_000_000],
  ['ms', 1_000_000],
  ['µs', 1_000],
] as const

/** Nanoseconds for people: three significant digits below a minute (`250ms`, `1.25s`, `87ns`), then `2m05s`, `1h02m`. */
export function formatNanos(nanos: bigint): string {
  if (nanos < 0n) return `-${formatNanos(-nanos)}`
  const seconds = nanos / 1_000_000_000n
  if (seconds >= 3600n) return `${seconds / 3600n}h${two((seconds % 3600n) / 60n)}m`
  if (seconds >= 60n) return `${seconds / 60n}m${two(seconds % 60n)}s`
  const number = Number(nanos)
  for (const [unit, size] of UNITS) {
    if (number >= size) return `${Number((number / size).toPrecision(3))}${unit}`
  }
  return `${number}ns`
}

function two(value: bigint): string {
  return String(value).padStart(2, '0')
}
