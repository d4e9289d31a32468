/**
 * The order in which samples are to be read so that their times ascend, as indexes; equal times keep theirs. Null: as they are, and no two are
 * equal. Made for times that ascend for long stretches, as parts of a table give them.
 */
export function ascendingOrder(times: ArrayLike<number>): Uint32Array | null {
  const count = times.length
  const starts = [0]
  let isStrict = true
  for (let i = 1; i < count; i += 1) {
    if ((times[i - 1] as number) < (times[i] as number)) continue
    isStrict = false
    if ((times[i - 1] as number) > (times[i] as number)) starts.push(i)
  }
  if (isStrict) return null
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i += 1) order[i] = i
  let other = new Uint32Array(count)
  let bounds = [...starts, count]
  while (bounds.length > 2) {
    const merged = [0]
    for (let run = 0; run + 1 < bounds.length; run += 2) {
      const from = bounds[run] as number
      const middle = bounds[run + 1] as number
      const end = bounds[run + 2] ?? middle
      mergeRuns(times, order, other, { from, middle, end })
      merged.push(end)
    }
    ;[order, other] = [other, order]
    bounds = merged
  }
  return order
}

function mergeRuns(
  times: ArrayLike<number>,
  source: Uint32Array,
  target: Uint32Array,
  { from, middle, end }: { readonly from: number; readonly middle: number; readonly end: number },
): void {
  let left = from
  let right = middle
  for (let at = from; at < end; at += 1) {
    const takesLeft =
      left < middle &&
      (right >= end ||
        (times[source[left] as number] as number) <= (times[source[right] as number] as number))
    target[at] = source[takesLeft ? left++ : right++] as number
  }
}
