/** One step of the summation: what `sum + value` loses, added to `lost`. */
export function lostWith(sum: number, lost: number, value: number): number {
  const next = sum + value
  if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) return 0
  return Math.abs(sum) >= Math.abs(value) ? lost + (sum - next + value) : lost + (value - next + sum)
}

/** The sum of `values[from, to)`. */
export function kahanSum(values: Float64Array, from: number, to: number): number {
  let sum = 0
  let lost = 0
  for (let i = from; i < to; i += 1) {
    const value = values[i] as number
    lost = lostWith(sum, lost, value)
    sum += value
  }
  return sum + lost
}

/**
 * The mean of `values[from, to)`, of at least one: sum by count, and from where the sum would overflow by an incremental mean.
 */
export function kahanMean(values: Float64Array, from: number, to: number): number {
  let sum = values[from] as number
  let lost = 0
  let count = 1
  let isIncremental = false
  for (let i = from + 1; i < to; i += 1) {
    const value = values[i] as number
    count += 1
    if (!isIncremental) {
      const next = sum + value
      if (Number.isFinite(next) || Number.isNaN(next)) {
        lost = lostWith(sum, lost, value)
        sum = next
        continue
      }
      isIncremental = true
      sum /= count - 1
      lost /= count - 1
    }
    const share = (count - 1) / count
    const increment = value / count
    const shared = share * sum
    lost = lostWith(shared, share * lost, increment)
    sum = shared + increment
  }
  return isIncremental ? sum + lost : sum / count + lost / count
}
