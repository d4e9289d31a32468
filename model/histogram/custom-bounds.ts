/** Whether two lists of bounds are the same. */
export function areBoundsEqual(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]))
}

/** The bounds that both ascending lists have. */
export function commonBounds(a: readonly number[], b: readonly number[]): number[] {
  const inB = new Set(b)
  return a.filter((bound) => inB.has(bound))
}

/** The bucket of the bounds `common` that takes in bucket `index` of `bounds`; the last one has no upper bound. */
export function bucketAmong(common: readonly number[], bounds: readonly number[], index: number): number {
  const bound = bounds[index]
  if (bound === undefined) return common.length
  let low = 0
  let high = common.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((common[middle] ?? 0) >= bound) high = middle
    else low = middle + 1
  }
  return low
}
