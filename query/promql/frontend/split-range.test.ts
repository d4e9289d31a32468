import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { splitLength, splitRange } from './split-range.ts'

const HOUR = 3_600_000

describe('parts of a range', () => {
  test('have each of its moments once, in the split it belongs to', () => {
    const random = seededRandom(8)
    for (let round = 0; round < 2000; round += 1) {
      const lengthMs = random.pick([7, 100, 3600])
      const startMs = random.below(4000) - 2000
      const endMs = startMs + random.below(3000)
      const stepMs = 1 + random.below(random.pick([5, 200, 5000]))
      const parts = splitRange({ startMs, endMs, stepMs }, lengthMs)
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
    expect(splitRange({ startMs: 5, endMs: 4, stepMs: 1 }, HOUR)).toEqual([])
  })

  test('without end there is one', () => {
    expect(splitRange({ startMs: 5, endMs: 100, stepMs: 10 }, Number.POSITIVE_INFINITY)).toEqual([
      { split: 0, startMs: 5, endMs: 95 },
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
  expect(splitLength(stepMs, windowMs)).toBe(lengthMs)
})
