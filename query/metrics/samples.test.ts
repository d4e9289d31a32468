import { describe, expect, test } from 'vitest'
import { toSeries } from './samples.ts'

const rows = { baseMs: 1000, stale: null, starts: null }

describe('a series of rows', () => {
  test('stands in the order of time, whatever order they came in', () => {
    expect(toSeries([], { ...rows, times: [3, 4, 1, 2], values: [30, 40, 10, 20] })).toEqual({
      labels: [],
      timestamps: Float64Array.of(1001, 1002, 1003, 1004),
      values: Float64Array.of(10, 20, 30, 40),
      stale: null,
    })
  })

  test.each<[string, number[], number[], number]>([
    ['the greatest', [2, 7, 5], [0, 0, 0], 7],
    ['a number before NaN', [Number.NaN, -1], [0, 0], -1],
    ['a number before NaN, the other way round', [-1, Number.NaN], [0, 0], -1],
    ['anything before a mark', [9, -1], [1, 0], -1],
    ['NaN before a mark', [9, Number.NaN], [1, 0], Number.NaN],
  ])('of several at one time: %s', (_name, values, stale, expected) => {
    for (const way of [values.map((_, i) => i), values.map((_, i) => values.length - 1 - i)]) {
      const series = toSeries([], {
        ...rows,
        times: way.map(() => 5),
        values: way.map((i) => values[i] as number),
        stale: way.map((i) => stale[i] as number),
      })
      expect([...series.values]).toEqual([expected])
      expect(series.stale).toBeNull()
    }
  })

  test('keeps marks and starts with their samples', () => {
    const series = toSeries([], {
      ...rows,
      times: [2, 1],
      values: [20, 10],
      stale: [0, 1],
      starts: [7, 0],
    })
    expect(series.stale).toEqual(Uint8Array.of(1, 0))
    expect(series.starts).toEqual(Float64Array.of(0, 7))
    expect(toSeries([], { ...rows, times: [1], values: [1], starts: [0] }).starts).toBeUndefined()
  })
})
