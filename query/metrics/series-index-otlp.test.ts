import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  compareBytes,
  type Labels,
  labelPairs,
  labelsFrom,
  labelsText,
  labelValue,
} from '../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../model/matcher.ts'
import { storeMessage } from '../../test/support/decode-message.ts'
import { metricsMessage } from '../../test/support/metric-messages.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import type { OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { formatBound } from '../promql/format-float.ts'
import { listLabelNames, listLabelValues } from './list-labels.ts'
import { selectLabelSets } from './select-label-sets.ts'

const NOW = Date.UTC(2026, 0, 8, 4)
const PATHS = ['/a', '/b']
const BOUNDS: Readonly<Record<string, readonly number[]>> = { '/a': [1, 10], '/b': [5] }
const QUANTILES = [0.5, 0.99]

function points(fields: (path: string) => OtlpJson): OtlpJson[] {
  return PATHS.map((path) => ({
    timeUnixNano: String(BigInt(NOW) * 1_000_000n),
    attributes: [text('path', path)],
    ...fields(path),
  }))
}

const METRICS: readonly OtlpJson[] = [
  { name: 'temp', gauge: { dataPoints: points(() => ({ asDouble: 1 })) } },
  {
    name: 'hits',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: points(() => ({ asInt: '1' })) },
  },
  {
    name: 'lat',
    unit: 'ms',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: points((path) => ({
        count: '1',
        sum: 1,
        explicitBounds: BOUNDS[path],
        bucketCounts: ['1', ...(BOUNDS[path] ?? []).map(() => '0')],
      })),
    },
  },
  {
    name: 'size',
    summary: {
      dataPoints: points(() => ({
        count: '1',
        sum: 1,
        quantileValues: QUANTILES.map((quantile) => ({ quantile, value: 1 })),
      })),
    },
  },
  {
    name: 'spread',
    exponentialHistogram: {
      aggregationTemporality: 2,
      dataPoints: points(() => ({
        count: '1',
        sum: 1,
        scale: 0,
        positive: { offset: 0, bucketCounts: ['1'] },
      })),
    },
  },
]

function series(name: string, path: string, more: Record<string, string> = {}): Labels {
  return labelsFrom(Object.entries({ __name__: name, job: 'cart', path, ...more }))
}

const ALL: readonly Labels[] = PATHS.flatMap((path) => [
  series('temp', path),
  series('hits_total', path),
  series('lat_milliseconds_sum', path),
  series('lat_milliseconds_count', path),
  ...[...(BOUNDS[path] ?? []), Number.POSITIVE_INFINITY].map((bound) =>
    series('lat_milliseconds_bucket', path, { le: formatBound(bound) }),
  ),
  series('size_sum', path),
  series('size_count', path),
  ...QUANTILES.map((quantile) => series('size', path, { quantile: formatBound(quantile) })),
  series('spread', path),
])

const op = fc.constantFrom('=' as const, '!=' as const, '=~' as const, '!~' as const)
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({
    name: fc.constant('__name__'),
    op,
    value: fc.constantFrom(
      'temp',
      'size',
      'size_sum',
      'lat_milliseconds_bucket',
      'lat_milliseconds',
      'lat_milliseconds_count',
      'spread',
      'lat.*',
      '.*_sum|temp',
      '.+_.+',
      '(?i)SIZE',
    ),
  }),
  fc.record({ name: fc.constant('path'), op, value: fc.constantFrom('/a', '', '/.', '/a|/c') }),
  fc.record({
    name: fc.constant('le'),
    op,
    value: fc.constantFrom('', '1', '1.0', '.Inf', '5.*', '.+', '(?i)\\+INF'),
  }),
  fc.record({ name: fc.constant('quantile'), op, value: fc.constantFrom('', '0.5', '0\\.9.*', '.*') }),
  fc.record({ name: fc.constantFrom('job', 'absent'), op, value: fc.constantFrom('', 'cart', 'c.*') }),
)
const question = fc.record({
  matcherSets: fc.array(fc.array(matcher, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
  label: fc.constantFrom('__name__', 'path', 'le', 'quantile', 'job', 'absent'),
})

let deps: OpenQueryDeps
beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  const message = metricsMessage(METRICS, { attributes: [text('service.name', 'cart')] })
  await storeMessage(deps.storage, 'metrics', message, { now: NOW, tenant: 'default' })
})
afterAll(() => deps.close())

function sorted(values: Iterable<string>): string[] {
  return [...new Set(values)].filter((value) => value !== '').sort(compareBytes)
}

test('series of OTLP are found by their names and labels in Prometheus’ form', async () => {
  await fc.assert(
    fc.asyncProperty(question, async ({ matcherSets, label }) => {
      const request = { tenant: 'default', matcherSets, fromMs: NOW - 60_000, toMs: NOW }
      const expected = ALL.filter((labels) =>
        matcherSets.some((matchers) =>
          matchers.every((each) => compileMatcher(each)(labelValue(labels, each.name))),
        ),
      )
      const sets = await selectLabelSets(deps.storage, request)
      expect(sorted(sets.map(labelsText))).toEqual(sorted(expected.map(labelsText)))
      expect(await listLabelNames(deps.storage, request)).toEqual(
        sorted(expected.flatMap((labels) => [...labelPairs(labels)].map(([name]) => name))),
      )
      expect(await listLabelValues(deps.storage, { ...request, name: label })).toEqual(
        sorted(expected.map((labels) => labelValue(labels, label))),
      )
    }),
    { numRuns: 80 },
  )
}, 120_000)

test.each(['__name__', 'path', 'le', 'quantile', 'job', 'absent'])('all values of %s', async (name) => {
  const request = { tenant: 'default', matcherSets: [], fromMs: NOW - 60_000, toMs: NOW, name }
  expect(await listLabelValues(deps.storage, request)).toEqual(
    sorted(ALL.map((labels) => labelValue(labels, name))),
  )
})

test('all names of labels', async () => {
  const request = { tenant: 'default', matcherSets: [], fromMs: NOW - 60_000, toMs: NOW }
  expect(await listLabelNames(deps.storage, request)).toEqual(['__name__', 'job', 'le', 'path', 'quantile'])
})
