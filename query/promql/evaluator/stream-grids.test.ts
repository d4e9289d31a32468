import { describe, expect, test } from 'vitest'
import { compareLabels, labelsFrom, labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { createQueryEngine } from '../create-query-engine.ts'
import { createMemorySeriesSource } from '../memory-series-source.ts'
import type { RankedSeries, SeriesSource } from '../series-source.ts'

const random = seededRandom(17)

/** Counters and gauges with resets, gaps, NaN and ends. */
function filled(): SeriesSource {
  const source = createMemorySeriesSource()
  for (let number = 0; number < 30; number += 1) {
    const metric = number % 3 === 0 ? 'other_total' : 'requests_total'
    const labels = labelsFrom([
      ['__name__', metric],
      ['job', `job-${number % 4}`],
      ['instance', `i-${number}`],
    ])
    let value = random.below(100)
    for (let timeMs = random.below(15_000); timeMs < 3_600_000; timeMs += 15_000) {
      const dice = random.below(100)
      if (dice < 5) continue
      value = dice < 8 ? 0 : value + random.below(50) / 7
      if (dice === 9) source.append(labels, timeMs, Number.NaN, true)
      else source.append(labels, timeMs, dice === 10 ? Number.NaN : value)
    }
  }
  return sorted(source)
}

/** As sources of stored samples give them. */
function sorted(source: SeriesSource): SeriesSource {
  return {
    selectSeries: async (selection) =>
      [...(await source.selectSeries(selection))].sort((a, b) => compareLabels(a.labels, b.labels)),
  }
}

/** The same source, whose series come in batches of so many, in another order. */
function streamed(source: SeriesSource, size: number, onBatch: () => void): SeriesSource {
  return {
    ...source,
    async streamSeries(selection) {
      const all = await source.selectSeries(selection)
      const ranked = all.map((series, rank) => ({ rank, series }))
      const names = new Set(all.map(({ labels }) => labelValue(labels, METRIC_NAME)))
      const shuffled = ranked.toSorted((a, b) => ((a.rank * 7) % 31) - ((b.rank * 7) % 31))
      async function* batches(): AsyncGenerator<readonly RankedSeries[]> {
        for (let from = 0; from < shuffled.length; from += size) {
          onBatch()
          yield shuffled.slice(from, from + size).sort((a, b) => a.rank - b.rank)
        }
      }
      return { isOneMetric: names.size <= 1, isEmpty: all.length === 0, batches: batches() }
    },
  }
}

const EXPRESSIONS = [
  'requests_total',
  'requests_total offset 2m',
  'rate(requests_total[5m])',
  'increase({__name__=~".+_total"}[3m])',
  'sum by (job) (rate(requests_total[5m]))',
  'avg without (instance) (max_over_time(requests_total[4m]))',
  'min(last_over_time(requests_total[90s]))',
  'max by (job) (requests_total)',
  'count(requests_total)',
  'group by (job) (present_over_time(requests_total[1m]))',
  'stddev(rate(requests_total[5m]))',
  'topk(3, rate(requests_total[5m]))',
  'sum(rate(requests_total[5m])) / sum(rate(other_total[5m] offset 5m))',
  'max by (job) (rate(requests_total[5m])) - rate(requests_total[5m]) * on (job) group_left () min by (job) (increase(requests_total[5m]))',
  'requests_total - requests_total',
  'rate({__name__=~".+_total"}[5m]) / on (instance) avg by (instance) (delta({__name__=~".+_total"}[5m]))',
  'max_over_time(rate(requests_total[5m])[10m:1m])',
  'sum(first_over_time({__name__=~".+_total"}[2m]))',
  'sum by (job) (changes(requests_total[10m])) > 3',
  'quantile_over_time(0.5, requests_total[5m])',
  'max(quantile_over_time((0.9), (requests_total[5m])))',
  'quantile_over_time(1.5, requests_total[5m])',
  'quantile_over_time(scalar(vector(0.5)), requests_total[5m])',
  'predict_linear(requests_total[5m], 60)',
  'absent_over_time(requests_total[1m])',
  'rate(requests_total[5m] @ 1800)',
  'sum(mad_over_time(requests_total[5m]))',
]

describe('computed while series come in', () => {
  const source = filled()
  const clock = systemClock
  const plain = createQueryEngine({ source, clock })
  const query = { tenant: 't', startMs: 300_000, endMs: 3_500_000, stepMs: 23_000 }

  test.each(EXPRESSIONS)('%s is what all of them give at once', async (expr) => {
    const expected = await plain.range({ ...query, expr })
    let batches = 0
    const inOne = createQueryEngine({ source: streamed(source, 1000, () => void batches++), clock })
    expect(await inOne.range({ ...query, expr })).toEqual(expected)
    const inMany = createQueryEngine({ source: streamed(source, 4, () => void batches++), clock })
    const found = await inMany.range({ ...query, expr })
    if (found.type !== 'matrix' || expected.type !== 'matrix') throw new Error('no matrix')
    expect(found.warnings).toEqual(expected.warnings)
    expect(found.infos).toEqual(expected.infos)
    expect(found.matrix.map(({ labels, timestamps }) => [labels, [...timestamps]])).toEqual(
      expected.matrix.map(({ labels, timestamps }) => [labels, [...timestamps]]),
    )
    // Sums are rounded in another order.
    for (const [i, { values }] of found.matrix.entries()) {
      for (const [k, value] of values.entries()) {
        const other = expected.matrix[i]?.values[k] as number
        if (Object.is(value, other)) continue
        expect(Math.abs(value - other)).toBeLessThanOrEqual(1e-14 * Math.abs(other))
      }
    }
    expect(batches > 0).toBe(!/1\.5|scalar|predict|absent|@/.test(expr))
  })

  test('the same selection is read once, whatever is made of it', async () => {
    const asked: unknown[] = []
    const all = streamed(source, 4, () => undefined)
    const counted: SeriesSource = {
      ...all,
      streamSeries: async (selection) => {
        asked.push([selection.fromMs, selection.toMs, selection.matchers])
        return (await all.streamSeries?.(selection)) ?? null
      },
    }
    const engine = createQueryEngine({ source: counted, clock })
    const rates = 'rate(requests_total[5m])'
    const exprs = [
      `(sum(${rates}) - max(${rates})) / count(increase(requests_total[5m]))`,
      `${rates} + ${rates}`,
    ]
    for (const expr of exprs) {
      asked.length = 0
      await engine.range({ ...query, expr })
      expect(asked.length, expr).toBe(1)
    }
    asked.length = 0
    await engine.range({ ...query, expr: 'rate(requests_total[5m]) / rate(requests_total[5m] offset 1m)' })
    expect(asked.length).toBe(2)
  })

  test('series that a function makes equal are refused', async () => {
    const engine = createQueryEngine({ source: streamed(twins(), 1, () => undefined), clock })
    for (const expr of ['rate({__name__=~"a|b"}[5m])', 'sum(rate({__name__=~"a|b"}[5m]))']) {
      await expect(engine.range({ ...query, expr })).rejects.toThrow(
        'vector cannot contain metrics with the same labelset',
      )
    }
  })

  test('values beyond the bound are refused', async () => {
    const engine = createQueryEngine({
      source: streamed(source, 4, () => undefined),
      clock,
      maxSamples: 1000,
    })
    await expect(engine.range({ ...query, expr: 'rate(requests_total[5m])' })).rejects.toThrow(
      'too many samples',
    )
    const { endMs: _, ...rest } = query
    const sum = await engine.range({ ...rest, endMs: 600_000, expr: 'sum(rate(requests_total[5m]))' })
    expect(sum.type === 'matrix' && sum.matrix.length).toBe(1)
  })
})

/** Two metrics whose series differ by name only. */
function twins(): SeriesSource {
  const source = createMemorySeriesSource()
  for (const name of ['a', 'b']) {
    for (let timeMs = 0; timeMs < 3_600_000; timeMs += 15_000)
      source.append(['__name__', name], timeMs, timeMs)
  }
  return source
}
