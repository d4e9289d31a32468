import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CUSTOM_BUCKETS_SCHEMA, EMPTY_HISTOGRAM, type FloatHistogram } from '../../model/float-histogram.ts'
import { type Labels, labelsFrom, labelValue } from '../../model/labels.ts'
import { systemClock } from '../../runtime/clock.ts'
import { storeMessage } from '../../test/support/decode-message.ts'
import { metricsMessage } from '../../test/support/metric-messages.ts'
import { observedHistogram } from '../../test/support/observed-histogram.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { seededRandom } from '../../test/support/seeded-random.ts'
import { text } from '../../test/support/stored-attributes.ts'
import type { Series, SeriesSelection } from '../promql/series-source.ts'
import { createClickHouseSource } from './create-clickhouse-source.ts'
import { createSampleWriter, type SampleToWrite } from './create-sample-writer.ts'

const NOW = Date.UTC(2026, 0, 2, 4)
const HINTS = ['unknown', 'reset', 'not_reset', 'gauge'] as const
const random = seededRandom(20)

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
})
afterAll(() => deps.close())

function select(
  tenant: string,
  name: string,
  more: Partial<SeriesSelection> = {},
): Promise<readonly Series[]> {
  return createClickHouseSource(deps.storage, systemClock).selectSeries({
    tenant,
    matchers: [{ name: '__name__', op: '=', value: name }],
    fromMs: NOW - 3_600_000,
    toMs: NOW,
    wantsStarts: true,
    ...more,
  })
}

function anyHistogram(): FloatHistogram {
  const counterResetHint = random.pick(HINTS)
  if (random.below(4) === 0) {
    const positiveBuckets = [random.below(9), random.below(9)]
    return {
      ...EMPTY_HISTOGRAM,
      schema: CUSTOM_BUCKETS_SCHEMA,
      count: positiveBuckets.reduce((sum, count) => sum + count, 0),
      sum: random.below(99) / 8,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets,
      customValues: random.pick([[0.5], [0.5, 1, 2]]),
      counterResetHint,
    }
  }
  const observations = Array.from({ length: random.below(12) }, () => random.below(400) / 8 - 10)
  return { ...observedHistogram(observations, random.below(4), 0.125), counterResetHint }
}

function isFuller(a: FloatHistogram, b: FloatHistogram): boolean {
  return a.count === b.count ? a.sum > b.sum : a.count > b.count
}

describe('native histograms that are stored', () => {
  test('are given as they came, in whatever order and however often, among the numbers of their series', async () => {
    const expected = new Map<string, Map<number, SampleToWrite>>()
    const series = ['a', 'b', 'c'].map((job) =>
      labelsFrom([
        ['__name__', 'sizes'],
        ['job', job],
      ]),
    )
    const writer = createSampleWriter(deps.storage)
    for (let part = 0; part < 6; part += 1) {
      const written = Array.from({ length: 60 }, () => anySample(random.pick(series)))
      await writer.write('sent', written, `part ${part}`)
      for (const sample of written) {
        const job = labelValue(sample.labels, 'job')
        const own = expected.get(job) ?? new Map<number, SampleToWrite>()
        expected.set(job, own)
        const before = own.get(sample.timestampMs)
        if (before === undefined || counts(sample, before)) own.set(sample.timestampMs, sample)
      }
    }
    const found = await select('sent', 'sizes')
    expect(found.map(({ labels }) => labelValue(labels, 'job'))).toEqual(['a', 'b', 'c'])
    for (const { labels, timestamps, values, histograms, starts } of found) {
      const own = [...(expected.get(labelValue(labels, 'job')) ?? [])].sort(([a], [b]) => a - b)
      expect([...timestamps]).toEqual(own.map(([timeMs]) => timeMs))
      for (const [i, [, sample]] of own.entries()) {
        expect(histograms?.has(i)).toBe(sample.histogram !== undefined)
        if (sample.histogram == null) expect(values[i]).toBe(sample.value)
        else expect(histograms?.at(i)).toEqual(sample.histogram)
        expect(starts?.[i]).toBe(sample.startMs)
      }
    }
  })

  function anySample(labels: Labels): SampleToWrite {
    const timestampMs = NOW - random.below(120) * 15_000
    // Told apart by it, where two are of one time.
    const startMs = NOW - 7_200_000
    if (labelValue(labels, 'job') !== 'a' && random.below(5) === 0)
      return { labels, timestampMs, value: random.below(100), startMs }
    return { labels, timestampMs, value: 0, histogram: anyHistogram(), startMs }
  }

  /** Whether the second sample of one time takes the place of the first. */
  function counts(sample: SampleToWrite, before: SampleToWrite): boolean {
    if (sample.histogram == null) return before.histogram == null && sample.value > before.value
    return before.histogram == null || isFuller(sample.histogram, before.histogram)
  }

  test('count as many samples, and too many are refused', async () => {
    const [first] = await select('sent', 'sizes')
    const size = first?.histograms?.size ?? 0
    expect(size).toBeGreaterThan(10 * (first?.timestamps.length ?? 0))
    const matchers = [
      { name: '__name__', op: '=', value: 'sizes' },
      { name: 'job', op: '=', value: 'a' },
    ] as const
    await expect(select('sent', 'sizes', { matchers, maxSamples: size * 4 })).resolves.toHaveLength(1)
    await expect(select('sent', 'sizes', { matchers, maxSamples: size / 4 })).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
    })
  })
})

describe('exponential histograms', () => {
  const RESOURCE = { attributes: [text('service.name', 'cart')] }
  const nano = (secondsAgo: number, nanos = 0n) =>
    String(BigInt(NOW - secondsAgo * 1000) * 1_000_000n + nanos)
  const point = (secondsAgo: number, count: number, more: object = {}) => ({
    timeUnixNano: nano(secondsAgo),
    count: String(count),
    sum: count,
    scale: 0,
    positive: { offset: 0, bucketCounts: [String(count)] },
    ...more,
  })
  const store = (tenant: string, aggregationTemporality: number, dataPoints: readonly object[]) =>
    storeMessage(
      deps.storage,
      'metrics',
      metricsMessage(
        [{ name: 'size', exponentialHistogram: { aggregationTemporality, dataPoints } }],
        RESOURCE,
      ),
      { now: NOW, tenant },
    )
  const totals = ([series]: readonly Series[]) =>
    Array.from(series?.timestamps ?? [], (timeMs, i) => [
      (timeMs - NOW) / 1000,
      series?.histograms?.has(i) ? series.histograms.at(i).count : null,
    ])

  test('differences that came twice count once, those of one millisecond each', async () => {
    const message = [point(60, 2), point(30, 3), point(30, 5, { timeUnixNano: nano(30, 7n) })]
    await store('differences', 1, message)
    await store('differences', 1, message)
    await store('differences', 1, [point(45, 7)])
    const found = await select('differences', 'size')
    expect(totals(found)).toEqual([
      [-60, 2],
      [-45, 9],
      [-30, 17],
    ])
  })

  test('ends are told, and scales that Prometheus does not know left out', async () => {
    await store('scales', 2, [
      point(90, 1),
      point(60, 2, { scale: -11 }),
      point(30, 3, { scale: 12 }),
      point(0, 0, { flags: 1 }),
    ])
    const found = await select('scales', 'size')
    expect(totals(found)).toEqual([
      [-90, 1],
      [-30, 3],
      [0, null],
    ])
    expect(found[0]?.stale).toEqual(Uint8Array.of(0, 0, 1))
    expect(found[0]?.histograms?.at(1).schema).toBe(8)
  })
})
