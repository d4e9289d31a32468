import type { GridSeries } from './grid.ts'
import { lostWith } from './kahan-sum.ts'

/** Takes the members of a group one after the other; a member's arrays are only read while it is added. */
export interface GroupReducer {
  add(member: GridSeries): void
  /** Writes what has come together. To be called once, at the end. */
  finish(result: GridSeries): void
}

/** Aggregations that need not know all members at once. */
export type RunningOp = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar'

/** Makes a reducer of so many moments. But for `count` and `group` members are to have no native histograms. */
export const GROUP_REDUCERS: Readonly<Record<RunningOp, (count: number) => GroupReducer>> = {
  sum,
  avg: average,
  min: (count) => extreme(count, -1),
  max: (count) => extreme(count, 1),
  count: counter,
  group: (count) => {
    const { add, finish } = counter(count)
    return {
      add,
      finish: (result) => {
        finish(result)
        result.values.fill(1)
      },
    }
  },
  stdvar: (count) => variance(count, false),
  stddev: (count) => variance(count, true),
}

function counter(count: number): GroupReducer {
  const counts = new Float64Array(count)
  return {
    add({ present }) {
      for (let i = 0; i < count; i += 1) counts[i] = (counts[i] as number) + (present[i] as number)
    },
    finish({ values, present }) {
      values.set(counts)
      for (let i = 0; i < count; i += 1) present[i] = (counts[i] as number) > 0 ? 1 : 0
    },
  }
}

function sum(count: number): GroupReducer {
  const sums = new Float64Array(count)
  const lost = new Float64Array(count)
  const isThere = new Uint8Array(count)
  return {
    add({ values, present }) {
      for (let i = 0; i < count; i += 1) {
        if (present[i] !== 1) continue
        const value = values[i] as number
        if (isThere[i] === 0) {
          isThere[i] = 1
          sums[i] = value
          continue
        }
        const before = sums[i] as number
        const next = before + value
        sums[i] = next
        if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) lost[i] = 0
        else if (Math.abs(before) >= Math.abs(value)) lost[i] = (lost[i] as number) + (before - next + value)
        else lost[i] = (lost[i] as number) + (value - next + before)
      }
    },
    finish({ values, present }) {
      present.set(isThere)
      for (let i = 0; i < count; i += 1) {
        // Adding nothing must not make 0 of -0.
        values[i] = lost[i] === 0 ? (sums[i] as number) : (sums[i] as number) + (lost[i] as number)
      }
    },
  }
}

/** By the sum and the count; from where the sum would overflow by an incremental mean. */
function average(count: number): GroupReducer {
  const sums = new Float64Array(count)
  const lost = new Float64Array(count)
  const counts = new Float64Array(count)
  const isIncremental = new Uint8Array(count)
  return {
    add({ values, present }) {
      for (let i = 0; i < count; i += 1) {
        if (present[i] !== 1) continue
        const value = values[i] as number
        const members = (counts[i] as number) + 1
        counts[i] = members
        if (members === 1) {
          sums[i] = value
          continue
        }
        const before = sums[i] as number
        if (isIncremental[i] === 0) {
          const next = before + value
          if (Math.abs(next) !== Number.POSITIVE_INFINITY) {
            lost[i] = lostWith(before, lost[i] as number, value)
            sums[i] = next
            continue
          }
          isIncremental[i] = 1
          sums[i] = before / (members - 1)
          lost[i] = (lost[i] as number) / (members - 1)
        }
        const share = (members - 1) / members
        const shared = share * (sums[i] as number)
        lost[i] = lostWith(shared, share * (lost[i] as number), value / members)
        sums[i] = shared + value / members
      }
    },
    finish({ values, present }) {
      for (let i = 0; i < count; i += 1) {
        const members = counts[i] as number
        if (members === 0) continue
        const by = isIncremental[i] === 1 ? 1 : members
        values[i] = (sums[i] as number) / by + (lost[i] as number) / by
        present[i] = 1
      }
    },
  }
}

/** The largest (`sign` 1) or smallest (-1); NaN only where there is nothing else. */
function extreme(count: number, sign: 1 | -1): GroupReducer {
  const best = new Float64Array(count)
  const isThere = new Uint8Array(count)
  return {
    add({ values, present }) {
      for (let i = 0; i < count; i += 1) {
        if (present[i] !== 1) continue
        const value = values[i] as number
        const before = best[i] as number
        const isBetter = sign === 1 ? value > before : value < before
        if (isThere[i] === 0 || isBetter || Number.isNaN(before)) best[i] = value
        isThere[i] = 1
      }
    },
    finish({ values, present }) {
      values.set(best)
      present.set(isThere)
    },
  }
}

/** Welford's algorithm. */
function variance(count: number, isDeviation: boolean): GroupReducer {
  const counts = new Float64Array(count)
  const means = new Float64Array(count)
  const squares = new Float64Array(count)
  return {
    add({ values, present }) {
      for (let i = 0; i < count; i += 1) {
        if (present[i] !== 1) continue
        const value = values[i] as number
        const members = (counts[i] as number) + 1
        counts[i] = members
        const mean = means[i] as number
        const delta = value - mean
        means[i] = mean + delta / members
        squares[i] = (squares[i] as number) + delta * (value - (means[i] as number))
      }
    },
    finish({ values, present }) {
      for (let i = 0; i < count; i += 1) {
        const members = counts[i] as number
        if (members === 0) continue
        const squared = (squares[i] as number) / members
        values[i] = isDeviation ? Math.sqrt(squared) : squared
        present[i] = 1
      }
    },
  }
}
