/** A repeatable source of numbers. */
export interface SeededRandom {
  /** From 0 inclusive to 1 exclusive. */
  next(): number
  /** An integer from 0 inclusive to `bound` exclusive. */
  below(bound: number): number
  /** One of the list. */
  pick<T>(list: readonly T[]): T
}

/** Makes a generator (mulberry32) from a 32-bit seed. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 0x100000000
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return { next, below, pick: (list) => list[below(list.length)] as (typeof list)[number] }
}
