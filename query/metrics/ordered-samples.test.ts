import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { absoluteTimes, orderedSamples } from './ordered-samples.ts'
import { toSeries } from './samples.ts'

describe('ordered samples', () => {
  test('are what sorting gives, or nothing where one of several must be chosen', () => {
    const runs = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 12 }), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(runs, fc.boolean(), (lists, areApart) => {
        // Runs in order by themselves; with `areApart` none reaches into another.
        const times = lists.flatMap((list, run) =>
          list.map((time) => time + (areApart ? ((run * 7) % 6) * 1000 : 0)).sort((a, b) => a - b),
        )
        const around = [-1, ...times, 9e9]
        const values = around.map((_, i) => i)
        const found = orderedSamples(
          Float64Array.from(around),
          Float64Array.from(values),
          1,
          around.length - 1,
        )
        const all = { baseMs: 0, stale: null, starts: null, times, values: values.slice(1, -1) }
        const { timestamps, values: sorted } = toSeries([], all)
        if (found === null) expect(new Set(times).size).toBeLessThan(times.length)
        else expect([found.timestamps, found.values]).toEqual([timestamps, sorted])
      }),
    )
  })

  test('equal times are for others to choose from', () => {
    expect(orderedSamples(Float64Array.of(1, 1), Float64Array.of(1, 2), 0, 2)).toBeNull()
    expect(orderedSamples(Float64Array.of(1, 2, 1), Float64Array.of(1, 2, 3), 0, 3)).toBeNull()
  })

  test('of no samples are none', () => {
    const none = new Float64Array(0)
    expect(orderedSamples(none, none, 0, 0)?.timestamps).toHaveLength(0)
  })
})

test('times after a base', () => {
  expect(absoluteTimes(Uint32Array.of(0, 4e9), 5e11)).toEqual(Float64Array.of(5e11, 5.04e11))
  expect(absoluteTimes(BigInt64Array.of(1n), 0)).toBeNull()
})
