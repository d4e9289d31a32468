/** The same numbers in the order in which quantiles are told: ascending, NaN first. */
export function sortedForQuantile(values: Float64Array): Float64Array {
  const sorted = Float64Array.from(values).sort()
  // Typed arrays sort NaN last.
  const firstNaN = sorted.findIndex(Number.isNaN)
  if (firstNaN <= 0) return sorted
  sorted.copyWithin(sorted.length - firstNaN, 0, firstNaN)
  return sorted.fill(Number.NaN, 0, sorted.length - firstNaN)
}

/**
 * The φ-quantile of sorted numbers, between two of them by their weighted mean. NaN for no numbers or φ NaN; below 0 it is
 * -Infinity, above 1 Infinity.
 */
export function quantileOf(phi: number, sorted: Float64Array): number {
  const count = sorted.length
  if (count === 0 || Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return Number.NEGATIVE_INFINITY
  if (phi > 1) return Number.POSITIVE_INFINITY
  const rank = phi * (count - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(count - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return (sorted[lower] as number) * (1 - weight) + (sorted[upper] as number) * weight
}
