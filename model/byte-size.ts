const UNIT_BYTES = new Map(
  Object.entries({
    '': 1n,
    B: 1n,
    KB: 10n ** 3n,
    MB: 10n ** 6n,
    GB: 10n ** 9n,
    TB: 10n ** 12n,
    KiB: 2n ** 10n,
    MiB: 2n ** 20n,
    GiB: 2n ** 30n,
    TiB: 2n ** 40n,
  }),
)

/**
 * Reads a size in bytes: a whole number, plain or with `B`, `KB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`,
 * `GiB`, `TiB` (powers of 1024). Returns null when the text is no size or is not exact as a number.
 */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+)([A-Za-z]*)$/.exec(text)
  const unit = UNIT_BYTES.get(match?.[2] ?? '?')
  if (match === null || unit === undefined) return null
  const bytes = Number(BigInt(match[1] ?? '') * unit)
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** Writes bytes for people, in the largest power of 1024 that leaves at least 1, with one decimal where needed: `1.5 GiB`. */
export function formatByteSize(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return `${Number(value.toFixed(1))} ${unit}`
}
