import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { orderStretches } from './order-stretches.ts'
import { toSeries } from './samples.ts'
import { STALE_NAN_BITS } from './stale-nan.ts'

const BASE_MS = 1_000

/** Values of which some are Prometheus' mark, bit by bit. */
function marked(values: readonly number[], marks: readonly boolean[]): Float64Array {
  const numbers = Float64Array.from(values)
  const halves = new Uint32Array(numbers.buffer)
  for (const [i, isMarked] of marks.entries()) if (isMarked) halves.set(STALE_NAN_BITS, 2 * i)
  return numbers
}

/** Series one behind the other in columns. */
function ordered(series: readonly { times: number[]; values: number[]; marks: boolean[] }[]) {
  const times = Uint32Array.from(series.flatMap((one) => one.times))
  const values = marked(
    series.flatMap((one) => one.values),
    series.flatMap((one) => one.marks),
  )
  const { stretch } = orderStretches(times, values, BASE_MS)
  let from = 0
  return series.map(({ times: own }) => {
    from += own.length
    return stretch(from - own.length, from)
  })
}

describe('samples in order', () => {
  test('hours that come in any order are joined', () => {
    const hours = { times: [7, 8, 1, 2, 3, 5], values: [70, 80, 10, 20, 30, 50], marks: [] }
    const [first, second] = ordered([hours, { times: [9], values: [1], marks: [] }])
    expect(first).toEqual({
      timestamps: Float64Array.of(1001, 1002, 1003, 1005, 1007, 1008),
      values: Float64Array.of(10, 20, 30, 50, 70, 80),
      stale: null,
    })
    expect(second?.timestamps).toEqual(Float64Array.of(1009))
  })

  test('are those that rows make one by one', () => {
    const sample = fc.record({
      time: fc.integer({ min: 0, max: 40 }),
      value: fc.constantFrom(0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY),
      isMarked: fc.boolean(),
    })
    // Stretches of neighbouring times, as hours of parts are, and anything.
    const runs = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 20 })), { maxLength: 80 })
      .map((list) =>
        list.flatMap(([from, count]) =>
          Array.from({ length: count }, (_, i) => ({ time: from * 20 + i, value: from, isMarked: false })),
        ),
      )
    fc.assert(
      fc.property(fc.array(fc.oneof(runs, fc.array(sample)), { maxLength: 5 }), (lists) => {
        const series = lists.map((list) => ({
          times: list.map(({ time }) => time),
          values: list.map(({ value }) => value),
          marks: list.map(({ isMarked }) => isMarked),
        }))
        for (const [i, found] of ordered(series).entries()) {
          const { times = [], values = [], marks = [] } = series[i] ?? {}
          const stale = marks.includes(true) ? marks.map(Number) : null
          const rows = { times, values: marked(values, marks), stale, baseMs: BASE_MS, starts: null }
          const { labels: _, ...expected } = toSeries([], rows)
          expect(found).toMatchObject(expected)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('are gone when their memory is freed', () => {
    const times = Uint32Array.from({ length: 10_000 }, (_, i) => i)
    const { stretch, free } = orderStretches(times, new Float64Array(10_000).fill(1), 0)
    const { values } = stretch(0, 10)
    expect(values.length).toBe(10)
    free()
    expect(values.length).toBe(0)
  })
})
