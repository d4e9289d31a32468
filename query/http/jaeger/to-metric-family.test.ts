import { describe, expect, test } from 'vitest'
import { bucketQuantile, type RedSeries } from '../../traces/read-red-series.ts'
import { parseMetricsQuery } from './register-jaeger-metrics.ts'
import { toMetricFamily } from './to-metric-family.ts'

// Bucket 80 ends at 2^20.25 - 1 ns and begins at 2^20 - 1 ns.
const STEP = { calls: 30, errors: 3, buckets: new Map([[80, 30]]) }
const SERIES: RedSeries[] = [{ service: 'a', operation: null, steps: [STEP, null, null] }]
const WINDOW = {
  startMs: Date.parse('2026-11-20T10:00:00Z'),
  stepMs: 10_000,
  stepsPerPoint: 2,
  quantile: 0.5,
}

describe('a metric family', () => {
  test('of call rates, over a sliding window', () => {
    expect(toMetricFamily('calls', SERIES, false, WINDOW)).toEqual({
      name: 'service_call_rate',
      type: 'GAUGE',
      help: 'calls/sec, grouped by service',
      metrics: [
        {
          labels: [{ name: 'service_name', value: 'a' }],
          metricPoints: [
            { gaugeValue: { doubleValue: 1.5 }, timestamp: '2026-11-20T10:00:20.000Z' },
            { gaugeValue: { doubleValue: 0 }, timestamp: '2026-11-20T10:00:30.000Z' },
          ],
        },
      ],
    })
  })

  test('of error rates: a fraction, NaN without calls', () => {
    const { metrics } = toMetricFamily('errors', SERIES, false, WINDOW)
    expect(metrics[0]?.metricPoints.map(({ gaugeValue }) => gaugeValue.doubleValue)).toEqual([0.1, 'NaN'])
  })

  test('of latencies in milliseconds, by operation', () => {
    const family = toMetricFamily(
      'latencies',
      [{ ...SERIES[0], operation: 'GET' } as RedSeries],
      true,
      WINDOW,
    )
    expect(family.name).toBe('service_operation_latencies')
    expect(family.metrics[0]?.labels).toEqual([
      { name: 'operation', value: 'GET' },
      { name: 'service_name', value: 'a' },
    ])
    const middle = (2 ** 20 + 2 ** 20.25) / 2 - 1
    expect(family.metrics[0]?.metricPoints[0]?.gaugeValue.doubleValue).toBeCloseTo(middle / 1e6, 9)
  })
})

test('a quantile is found across buckets', () => {
  const buckets = new Map([
    [4, 10],
    [0, 10],
    [8, 0],
  ])
  expect(bucketQuantile(buckets, 0)).toBe(0)
  expect(bucketQuantile(buckets, 0.5)).toBeCloseTo(2 ** 0.25 - 1, 12)
  expect(bucketQuantile(buckets, 1)).toBeCloseTo(2 ** 1.25 - 1, 12)
  expect(bucketQuantile(new Map(), 0.5)).toBeNaN()
})

describe('the parameters of metrics', () => {
  const now = Date.parse('2026-11-20T10:00:07Z')

  test('are aligned to slots, with a window before the first point', () => {
    const query = {
      service: ['a', 'b'],
      lookback: '60000',
      step: '15000',
      ratePer: '60000',
      quantile: '0.95',
    }
    expect(parseMetricsQuery('latencies', query, now)).toEqual({
      services: ['a', 'b'],
      kinds: ['server'],
      isByOperation: false,
      // Four points (a lookback of 60 s in steps of 20 s, both ends), each over three steps.
      startMs: Date.parse('2026-11-20T10:00:00Z') - 6 * 20_000,
      stepMs: 20_000,
      steps: 6,
      stepsPerPoint: 3,
      quantile: 0.95,
    })
  })

  test.each([
    ['calls', {}, "'service' is required"],
    ['latencies', { service: 'a' }, "'quantile'"],
    ['latencies', { service: 'a', quantile: '2' }, "'quantile'"],
    ['calls', { service: 'a', spanKind: 'SERVE' }, "'spanKind'"],
    ['calls', { service: 'a', groupByOperation: 'yes' }, "'groupByOperation'"],
    ['calls', { service: 'a', lookback: '999999999' }, 'more than 11000'],
  ] as const)('%s %j', (metric, query, message) => {
    expect(() => parseMetricsQuery(metric, query as never, now)).toThrow(message)
  })
})
