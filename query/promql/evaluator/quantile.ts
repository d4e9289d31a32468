/** Brings numbers, in place, into the order in which quantiles are told: ascending, NaN first. */
export function sortForQuantile(values: Float64Array): Float64Array {
  values.sort()
  // Typed arrays sort NaN last.
  let numbers = values.length
  while (numbers > 0 && Number.isNaN(values[numbers - 1])) numbers -= 1
  if (numbers === values.length) return values
  values.copyWithin(values.length - numbers, 0, numbers)
  return values.fill(Number.NaN, 0, values.length - numbers)
}

/**
 * The φ-quantile of sorted numbers (the first `count` of them), between two of them by their weighted mean. NaN for no numbers or φ NaN; below 0
 * it is -Infinity, above 1 Infinity.
 */
export function quantileOf(phi: number, sorted: Float64Array, count: number = sorted.length): number {
  if (count === 0 || Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return Number.NEGATIVE_INFINITY
  if (phi > 1) return Number.POSITIVE_INFINITY
  const rank = phi * (count - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(count - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return (sorted[lower] as number) * (1 - weight) + (sorted[upper] as number) * weight
}
