import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FloatHistogram } from '../../model/float-histogram.ts'
import { labelsFrom } from '../../model/labels.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { createSampleWriter } from './create-sample-writer.ts'

const NOW = Date.UTC(2026, 0, 2, 4)

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
})
afterAll(() => deps.close())

const HISTOGRAM: FloatHistogram = {
  schema: -2,
  zeroThreshold: 0.001,
  zeroCount: 2.5,
  count: 21.5,
  sum: -18.4,
  positiveSpans: [
    { offset: -3, length: 2 },
    { offset: 4, length: 1 },
  ],
  positiveBuckets: [1, 2, 10],
  negativeSpans: [{ offset: 0, length: 2 }],
  negativeBuckets: [3, 3],
  customValues: [],
  counterResetHint: 'gauge',
}
const CUSTOM: FloatHistogram = {
  ...HISTOGRAM,
  schema: -53,
  zeroThreshold: 0,
  negativeSpans: [],
  negativeBuckets: [],
  customValues: [0.5, 1, 10],
  counterResetHint: 'not_reset',
}

test('numbers, ends and native histograms of one series, with start times', async () => {
  const labels = labelsFrom([
    ['__name__', 'mixed'],
    ['job', 'a'],
  ])
  const samples = [
    { labels, timestampMs: NOW - 4, value: 1.5, startMs: NOW - 900 },
    { labels, timestampMs: NOW - 3, value: 0, histogram: HISTOGRAM, startMs: NOW - 800 },
    { labels, timestampMs: NOW - 2, value: 0, histogram: CUSTOM },
    { labels, timestampMs: NOW - 1, value: Number.NaN, isStale: true, histogram: HISTOGRAM },
  ]
  const writer = createSampleWriter(deps.storage)
  await writer.write('default', samples, 'one')
  await writer.write('default', samples, 'one')

  const floats = await deps.storage.select({
    name: 'test',
    tenant: 'default',
    sql: `SELECT toUnixTimestamp64Milli(ts) - ${NOW} AS at, if(start = 0, 0, toUnixTimestamp64Milli(start) - ${NOW}) AS began, value, is_stale
FROM prom_samples WHERE tenant = {tenant:String} AND metric = 'mixed' ORDER BY ts`,
  })
  expect(floats).toEqual([
    { at: '-4', began: '-900', value: 1.5, is_stale: false },
    { at: '-1', began: '0', value: 'nan', is_stale: true },
  ])
  const histograms = await deps.storage.select({
    name: 'test',
    tenant: 'default',
    sql: `SELECT * EXCEPT (tenant, metric, series, ts, start), toUnixTimestamp64Milli(ts) - ${NOW} AS at, toUnixTimestamp64Milli(start) AS began
FROM prom_histograms WHERE tenant = {tenant:String} AND metric = 'mixed' ORDER BY ts`,
  })
  const common = {
    zero_count: 2.5,
    count: 21.5,
    sum: -18.4,
    positive_offsets: [-3, 4],
    positive_lengths: [2, 1],
    positive_counts: [1, 2, 10],
  }
  expect(histograms).toEqual([
    {
      ...common,
      at: '-3',
      began: String(NOW - 800),
      reset_hint: 3,
      schema: -2,
      zero_threshold: 0.001,
      negative_offsets: [0],
      negative_lengths: [2],
      negative_counts: [3, 3],
      custom_values: [],
    },
    {
      ...common,
      at: '-2',
      began: '0',
      reset_hint: 2,
      schema: -53,
      zero_threshold: 0,
      negative_offsets: [],
      negative_lengths: [],
      negative_counts: [],
      custom_values: [0.5, 1, 10],
    },
  ])
})
