const UNIT_MS = {
  y: 365 * 86_400_000,
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
} as const

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/

/**
 * Reads a duration as Prometheus writes it (`model.ParseDuration`): whole numbers with units `y w d h m s ms`, each at
 * most once, largest first: `1h30m`, `7d`, `500ms`; `0` needs no unit. A year has 365 days.
 * Returns milliseconds, exact; null when the text is no duration or is not exact as a number.
 */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0
  const match = DURATION.exec(text)
  if (text === '' || match === null) return null
  const ms = Object.values(UNIT_MS).reduce(
    (sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit,
    0,
  )
  return Number.isSafeInteger(ms) ? ms : null
}

/**
 * Writes whole milliseconds in the form that {@link parseDuration} reads: `1h30m`, `0s`. Like Prometheus, years and weeks
 * are written only when nothing is left over, so that `1w1d` is `8d`.
 */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  let rest = ms
  let text = ''
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const isExactOnly = unit === 'y' || unit === 'w'
    if (isExactOnly && rest % size !== 0) continue
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}
