import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { planSplits, splitRange } from './split-range.ts'

const HOUR = 3_600_000

describe('parts of a range', () => {
  test('have each of its moments once, in the split it belongs to', () => {
    const random = seededRandom(8)
    for (let round = 0; round < 2000; round += 1) {
      const lengthMs = random.pick([7, 100, 3600])
      const startMs = random.below(4000) - 2000
      const endMs = startMs + random.below(3000)
      const stepMs = 1 + random.below(random.pick([5, 200, 5000]))
      const parts = splitRange({ startMs, endMs, stepMs }, { lengthMs, leastMs: 0 })
      const moments = parts.flatMap((part) => {
        const inside: number[] = []
        for (let ms = part.startMs; ms <= part.endMs; ms += stepMs) inside.push(ms)
        expect(inside.at(-1)).toBe(part.endMs)
        expect(inside.every((ms) => Math.floor(ms / lengthMs) === part.split)).toBe(true)
        return inside
      })
      const all: number[] = []
      for (let ms = startMs; ms <= endMs; ms += stepMs) all.push(ms)
      expect(moments).toEqual(all)
    }
  })

  test('of nothing there are none', () => {
    expect(splitRange({ startMs: 5, endMs: 4, stepMs: 1 }, { lengthMs: HOUR, leastMs: HOUR })).toEqual([])
  })

  test('without end there is one', () => {
    const splits = { lengthMs: Number.POSITIVE_INFINITY, leastMs: 0 }
    expect(splitRange({ startMs: 5, endMs: 100, stepMs: 10 }, splits)).toEqual([
      { split: 0, startMs: 5, endMs: 95 },
    ])
  })

  test('of a range too short for two there is one, that of its begin', () => {
    const splits = { lengthMs: 100, leastMs: 40 }
    expect(splitRange({ startMs: 195, endMs: 270, stepMs: 10 }, splits)).toEqual([
      { split: 1, startMs: 195, endMs: 265 },
    ])
    expect(splitRange({ startMs: 195, endMs: 275, stepMs: 10 }, splits)).toEqual([
      { split: 1, startMs: 195, endMs: 195 },
      { split: 2, startMs: 205, endMs: 275 },
    ])
  })
})

test.each<[number, number, number]>([
  [5_000, 300_000, HOUR],
  [15_000, 300_000, 6 * HOUR],
  [60_000, 300_000, 6 * HOUR],
  [15_000, 3 * HOUR, 24 * HOUR],
  [24 * HOUR, 300_000, Number.POSITIVE_INFINITY],
])('at step %d and window %d a split is %d long', (stepMs, windowMs, lengthMs) => {
  expect(planSplits(stepMs, windowMs).lengthMs).toBe(lengthMs)
})
