/** A number as a row of ours has it: ClickHouse writes NaN and infinities as text. */
export type StoredNumber = number | string

/** The number that a row means. */
export function storedNumber(value: StoredNumber): number {
  if (typeof value === 'number') return value
  if (value === 'inf') return Number.POSITIVE_INFINITY
  if (value === '-inf') return Number.NEGATIVE_INFINITY
  return Number(value)
}
