import { formatFloat } from '../../../model/template/format-float.ts'
import type { Group } from './aggregate.ts'
import { executionError } from './evaluation.ts'
import type { Grid, GridSeries } from './grid.ts'

/** From there on Prometheus refuses a number of series. */
const MAX_COUNT = 2 ** 63 - 1024
const MIN_COUNT = -(2 ** 63)

/** How many series of each group `topk`, `bottomk` and `limitk` keep at each moment. Throws QUERY_EXECUTION_FAILED. */
export function readCounts(values: Float64Array): Float64Array {
  // Where nothing is kept nothing is looked at.
  if (values.every((value) => value < 1)) return new Float64Array(values.length)
  if (values.some(Number.isNaN)) throw executionError('Parameter value is NaN')
  for (const value of values) {
    if (value <= MIN_COUNT)
      throw executionError(`Scalar value ${formatFloat(value, 'g', -1)} underflows int64`)
    if (value >= MAX_COUNT)
      throw executionError(`Scalar value ${formatFloat(value, 'g', -1)} overflows int64`)
  }
  return values.map(Math.trunc)
}

/**
 * The `counts[i]` largest (`topk`), smallest (`bottomk`) or first (`limitk`) series of each group at each moment. On a grid of one they
 * come in that order; NaN is last.
 */
export function selectFromGroups(
  op: 'topk' | 'bottomk' | 'limitk',
  groups: readonly Group[],
  grid: Grid,
  counts: Float64Array,
): GridSeries[] {
  return groups.flatMap(({ members }) => {
    const kept = new Map<number, GridSeries>()
    const chosen = new Int32Array(members.length)
    let length = 0
    for (let i = 0; i < grid.count; i += 1) {
      const count = Math.min(counts[i] as number, members.length)
      if (count < 1) {
        length = 0
        continue
      }
      length =
        op === 'limitk' ? chooseFirst(members, i, count, chosen) : chooseBest(op, members, i, count, chosen)
      for (let k = 0; k < length; k += 1) keep(kept, members, chosen[k] as number, i)
    }
    if (grid.count === 1) return [...chosen.subarray(0, length)].flatMap((index) => kept.get(index) ?? [])
    return [...kept].sort(([a], [b]) => a - b).map(([, series]) => series)
  })
}

function keep(kept: Map<number, GridSeries>, members: readonly GridSeries[], index: number, i: number): void {
  let series = kept.get(index)
  if (series === undefined) {
    const member = members[index] as GridSeries
    series = { ...member, present: new Uint8Array(member.present.length) }
    kept.set(index, series)
  }
  series.present[i] = 1
}

function chooseFirst(members: readonly GridSeries[], i: number, count: number, chosen: Int32Array): number {
  let length = 0
  for (let index = 0; index < members.length && length < count; index += 1) {
    if (members[index]?.present[i] !== 1) continue
    chosen[length] = index
    length += 1
  }
  return length
}

/** Beyond so many, all are sorted. */
const FEW = 64

/** Puts the indexes of the best members, best first, into `chosen` and says how many they are. */
function chooseBest(
  op: 'topk' | 'bottomk',
  members: readonly GridSeries[],
  i: number,
  count: number,
  chosen: Int32Array,
): number {
  const sign = op === 'topk' ? 1 : -1
  const numberOf = (index: number) => (members[index] as GridSeries).values[i] as number
  if (count > FEW) {
    const length = chooseFirst(members, i, members.length, chosen)
    chosen.subarray(0, length).sort((a, b) => rank(numberOf(a), numberOf(b), sign) || a - b)
    return Math.min(count, length)
  }
  let length = 0
  for (let index = 0; index < members.length; index += 1) {
    const member = members[index] as GridSeries
    if (member.present[i] !== 1) continue
    const value = member.values[i] as number
    if (length === count && rank(value, numberOf(chosen[length - 1] as number), sign) >= 0) continue
    let place = length === count ? length - 1 : length
    for (; place > 0 && rank(value, numberOf(chosen[place - 1] as number), sign) < 0; place -= 1) {
      chosen[place] = chosen[place - 1] as number
    }
    chosen[place] = index
    if (length < count) length += 1
  }
  return length
}

/** Less than 0 when the first is before the second: it is greater (`sign` 1) or less (-1), or the second is NaN. */
function rank(a: number, b: number, sign: 1 | -1): number {
  if (a === b) return 0
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a > b ? -sign : sign
}
