import fc from 'fast-check'
import { type Labels, labelsFrom } from '../../model/labels.ts'
import type { SampleToWrite } from '../../query/metrics/create-sample-writer.ts'

/** A series for tests: samples in any order of time, with resets, gaps, NaN, infinities, marks of the end and several samples at one time. */
export interface HistorySeries {
  readonly labels: Labels
  readonly samples: readonly SampleToWrite[]
}

const value = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 0, max: 1000 }) },
  { weight: 8, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e300),
  },
)

/** Series of one metric in `lengthMs` from `startMs` on. */
export function metricHistory(
  name: string,
  startMs: number,
  lengthMs: number,
): fc.Arbitrary<HistorySeries[]> {
  const sample = fc.record({
    // Several scrapes in a row are at equal distances, as in life; others are anywhere.
    at: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.integer({ min: 0, max: Math.floor(lengthMs / 15_000) }).map((n) => n * 15_000),
      },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: lengthMs }) },
    ),
    value,
    isStale: fc
      .boolean()
      .chain((may) => (may ? fc.integer({ min: 0, max: 9 }).map((n) => n === 0) : fc.constant(false))),
  })
  const counter = fc
    .record({
      from: fc.integer({ min: 0, max: 20 }),
      steps: fc.array(
        fc.oneof(
          { weight: 20, arbitrary: fc.integer({ min: 0, max: 50 }) },
          { weight: 1, arbitrary: fc.constant(-1) },
        ),
        {
          maxLength: Math.floor(lengthMs / 15_000),
        },
      ),
      jitter: fc.integer({ min: 0, max: 14_999 }),
    })
    .map(({ from, steps, jitter }) => {
      let total = 0
      return steps.map((step, i) => {
        total = step < 0 ? 0 : total + step
        return { at: (from + i) * 15_000 + jitter, value: total, isStale: false }
      })
    })
  const samples = fc.oneof(counter, fc.array(sample, { maxLength: 60 }))
  return fc
    .uniqueArray(
      fc.record({ job: fc.constantFrom('a', 'b', ''), pod: fc.constantFrom('1', '2', '3'), samples }),
      { selector: ({ job, pod }) => `${job} ${pod}`, maxLength: 6 },
    )
    .map((list) =>
      list.map(({ job, pod, samples: all }) => {
        const labels = labelsFrom([
          ['__name__', name],
          ['job', job],
          ['pod', pod],
        ])
        return {
          labels,
          samples: all
            .filter(({ at }) => at <= lengthMs)
            .map(({ at, value: number, isStale }) => ({
              labels,
              timestampMs: startMs + at,
              value: isStale ? Number.NaN : number,
              isStale,
            })),
        }
      }),
    )
}
