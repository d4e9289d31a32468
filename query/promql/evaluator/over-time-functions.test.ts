import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { createQueryEngine } from '../create-query-engine.ts'
import type { Series } from '../series-source.ts'

const TENANT = 't'
const STEP_MS = 10_000
const RANGE_MS = 60_000
const MOMENTS = 30

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -5, max: 5 }) },
  { weight: 3, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
)
const sample = fc.record({ afterMs: fc.integer({ min: 1, max: 25_000 }), value })
const series = fc.array(sample, { maxLength: 60 })

function toSeries(
  samples: readonly { readonly afterMs: number; readonly value: number }[],
  n: number,
): Series {
  let time = 0
  const timestamps = Float64Array.from(samples, ({ afterMs }) => {
    time += afterMs
    return time
  })
  const values = Float64Array.from(samples, (one) => one.value)
  return {
    labels: ['__name__', 'm_total', 'g', `g${n % 2}`, 'n', String(n)],
    timestamps,
    values,
    stale: null,
  }
}

function ask(all: readonly Series[], expr: string, steps = MOMENTS) {
  const engine = createQueryEngine({
    source: { selectSeries: async () => all },
    clock: systemClock,
  })
  return engine.range({ tenant: TENANT, expr, startMs: 0, endMs: steps * STEP_MS, stepMs: STEP_MS })
}

/** The answer of the definition: the function of the samples in (t - range, t], wherever there are enough. */
function byDefinition(
  { timestamps, values }: Series,
  compute: (values: number[], times: number[]) => number | undefined,
): Map<number, number> {
  const points = new Map<number, number>()
  for (let i = 0; i <= MOMENTS; i += 1) {
    const end = i * STEP_MS
    const inside = [...timestamps.keys()].filter((k) => {
      return (timestamps[k] as number) > end - RANGE_MS && (timestamps[k] as number) <= end
    })
    if (inside.length === 0) continue
    const result = compute(
      inside.map((k) => values[k] as number),
      inside.map((k) => timestamps[k] as number),
    )
    if (result !== undefined) points.set(end, result)
  }
  return points
}

function best(values: number[], isBetter: (a: number, b: number) => boolean): number {
  let index = 0
  values.forEach((one, k) => {
    if (isBetter(one, values[index] as number) || Number.isNaN(values[index])) index = k
  })
  return index
}

function quantile(phi: number, values: number[]): number {
  const sorted = [...values].sort((a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a))
    return a < b ? -1 : a > b ? 1 : 0
  })
  const rank = phi * (sorted.length - 1)
  const lower = Math.floor(rank)
  const upper = Math.min(sorted.length - 1, lower + 1)
  return (sorted[lower] as number) * (1 - (rank - lower)) + (sorted[upper] as number) * (rank - lower)
}

function countSteps(values: number[], isStep: (before: number, now: number) => boolean): number {
  return values.filter((now, k) => k > 0 && isStep(values[k - 1] as number, now)).length
}

const DEFINITIONS: readonly [string, (values: number[], times: number[]) => number | undefined][] = [
  ['max_over_time(m_total[1m])', (values) => values[best(values, (a, b) => a > b)]],
  ['min_over_time(m_total[1m])', (values) => values[best(values, (a, b) => a < b)]],
  [
    'ts_of_max_over_time(m_total[1m])',
    (values, times) => (times[best(values, (a, b) => a >= b)] ?? 0) / 1000,
  ],
  [
    'ts_of_min_over_time(m_total[1m])',
    (values, times) => (times[best(values, (a, b) => a <= b)] ?? 0) / 1000,
  ],
  ['quantile_over_time(0.3, m_total[1m])', (values) => quantile(0.3, values)],
  ['count_over_time(m_total[1m])', (values) => values.length],
  ['last_over_time(m_total[1m])', (values) => values.at(-1)],
  ['resets(m_total[1m])', (values) => countSteps(values, (before, now) => now < before)],
  [
    'changes(m_total[1m])',
    (values) =>
      countSteps(values, (before, now) => before !== now && !(Number.isNaN(before) && Number.isNaN(now))),
  ],
  [
    'idelta(m_total[1m])',
    (values) => (values.length < 2 ? undefined : (values.at(-1) as number) - (values.at(-2) as number)),
  ],
]

describe('functions of moving windows', () => {
  test.each(DEFINITIONS)('%s is what it is defined to be', async (expr, compute) => {
    await fc.assert(
      fc.asyncProperty(series, async (samples) => {
        const one = toSeries(samples, 0)
        const answer = await ask([one], expr)
        if (answer.type !== 'matrix') throw new Error('no matrix')
        const [found] = answer.matrix
        const points = new Map([...(found?.timestamps ?? [])].map((time, k) => [time, found?.values[k] ?? 0]))
        // The sign of zero is nobody's business: numbers that are equal have no order.
        const plain = (map: ReadonlyMap<number, number>) =>
          [...map].map(([time, x]) => [time, x === 0 ? 0 : x])
        expect(plain(points)).toEqual(plain(byDefinition(one, compute)))
      }),
      { numRuns: 60 },
    )
  })
})

describe('an aggregation series by series', () => {
  test.each(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'])(
    '%s is that of all values at once',
    async (op) => {
      await fc.assert(
        fc.asyncProperty(fc.array(series, { maxLength: 6 }), async (all) => {
          const given = all.map(toSeries)
          for (const grouping of ['', 'by (g)', 'without (n)', 'by (g, n)']) {
            const streamed = await ask(given, `${op} ${grouping} (sum_over_time(m_total[1m]))`)
            // Under a function of its own the argument is computed as a whole.
            const whole = await ask(given, `${op} ${grouping} (sum_over_time(m_total[1m]) + 0)`)
            expect(streamed).toEqual(whole)
          }
        }),
        { numRuns: 25 },
      )
    },
  )

  test('series that become equal are refused', async () => {
    const one = toSeries([{ afterMs: 1000, value: 1 }], 0)
    const other = { ...toSeries([{ afterMs: 200_000, value: 1 }], 0) }
    const given = [one, { ...other, labels: ['__name__', 'other_total', ...other.labels.slice(2)] }]
    for (const expr of ['count_over_time({g="g0"}[1m])', 'sum(count_over_time({g="g0"}[1m]))']) {
      await expect(ask(given, expr)).rejects.toThrow('vector cannot contain metrics with the same labelset')
    }
  })
})
