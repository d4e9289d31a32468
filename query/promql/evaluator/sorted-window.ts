import { sortForQuantile } from './quantile.ts'

/** The numbers of a moving window in ascending order, NaN first: what quantiles are told of. */
export interface SortedWindow {
  /** Only the first `count` are meant. */
  readonly sorted: Float64Array
  readonly count: number
  /** Makes the window `values[from, to)`. Both may only grow from call to call. */
  moveTo(from: number, to: number): void
}

/** So few numbers are moved sooner one by one than by a call. */
const FEW = 48

/** An empty window over `values`, which may hold at most `capacity` at once. */
export function createSortedWindow(values: Float64Array, capacity: number): SortedWindow {
  const sorted = new Float64Array(capacity)
  let from = 0
  let to = 0
  let count = 0

  /** Index of the first that is not less. */
  const placeOf = (value: number): number => {
    if (Number.isNaN(value)) return 0
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = sorted[middle] as number
      if (other < value || Number.isNaN(other)) low = middle + 1
      else high = middle
    }
    return low
  }
  const fill = () => {
    sorted.set(values.subarray(from, to))
    count = to - from
    sortForQuantile(sorted.subarray(0, count))
  }

  return {
    sorted,
    get count() {
      return count
    },
    moveTo(nextFrom, nextTo) {
      const moved = nextFrom - from + (nextTo - to)
      if (moved > (nextTo - nextFrom) / 2) {
        from = nextFrom
        to = nextTo
        fill()
        return
      }
      for (; from < nextFrom; from += 1) {
        const place = placeOf(values[from] as number)
        count -= 1
        if (count - place > FEW) sorted.copyWithin(place, place + 1, count + 1)
        else for (let i = place; i < count; i += 1) sorted[i] = sorted[i + 1] as number
      }
      for (; to < nextTo; to += 1) {
        const value = values[to] as number
        const place = placeOf(value)
        if (count - place > FEW) sorted.copyWithin(place + 1, place, count)
        else for (let i = count; i > place; i -= 1) sorted[i] = sorted[i - 1] as number
        sorted[place] = value
        count += 1
      }
    },
  }
}
