import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertSpans, type TestSpan } from '../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { listAttributeKeys } from './list-attribute-keys.ts'
import { listAttributeValues } from './list-attribute-values.ts'
import { listOperations } from './list-operations.ts'
import { listServices } from './list-services.ts'
import { readDependencies } from './read-dependencies.ts'
import { bucketBounds, heatmapStep, readHeatmap } from './read-heatmap.ts'
import type { TraceFilter } from './trace-filter.ts'

const T0_MS = 1_795_000_020_000
const RANGE_MS = 3_000_000

let deps: OpenQueryDeps
let spans: TestSpan[]

beforeAll(async () => {
  deps = await openQueryDeps()
  // 2,500 spans over fifty minutes, one each 1.2 seconds, in a fixed pattern without short period.
  spans = Array.from({ length: 2500 }, (_, n) => ({
    traceId: (n + 1).toString(16),
    spanId: (n + 1).toString(16),
    service: ['shop', 'pay', 'rare'][n % 97 === 0 ? 2 : n % 2] ?? '',
    name: `GET /${n % 5}`,
    kind: n % 3 === 0 ? ('client' as const) : ('server' as const),
    startTimeUnixNano: BigInt(T0_MS + n * 1200) * 1_000_000n,
    durationNanos: BigInt(Math.floor(1.01 ** (n % 1700))),
    isError: n % 7 === 0,
    mesh: {
      responseFlags: n % 11 === 0 ? 'UF,URX' : '',
      upstream: n % 3 === 0 ? (['pay', 'bank'][n % 2] ?? '') : '',
    },
    attributes: n % 10 === 0 ? [text('color', ['red', 'blue'][(n / 10) % 2] ?? '')] : [],
  }))
  await insertSpans(deps.storage, spans)
})

afterAll(() => deps.close())

/** Ranges of any length around the data, on whole slots, so that widening changes nothing. */
const ranges = fc
  .tuple(fc.integer({ min: -30, max: 320 }), fc.integer({ min: 1, max: 330 }))
  .map(([from, length]) => ({ startMs: T0_MS + from * 10_000, endMs: T0_MS + (from + length) * 10_000 }))

function within(range: { startMs: number; endMs: number }): TestSpan[] {
  return spans.filter(({ startTimeUnixNano }) => {
    const ms = Number(startTimeUnixNano / 1_000_000n)
    return ms >= range.startMs && ms < range.endMs
  })
}

function counts(
  list: readonly TestSpan[],
  keyOf: (span: TestSpan) => string | number,
): [string, number, number][] {
  const byKey = Object.entries(Object.groupBy(list, keyOf))
  return byKey
    .map(([key, members = []]): [string, number, number] => [
      key,
      members.length,
      members.filter(({ isError }) => isError).length,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

describe('the roll-ups agree with the spans, for any range,', () => {
  const tenant = 'default'

  test('about services', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const seen = await listServices(deps, { tenant, ...range })
        expect(seen.map((row) => [row.service, row.spanCount, row.errorCount])).toEqual(
          counts(within(range), (span) => span.service),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('about operations', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const seen = await listOperations(deps, { tenant, service: 'shop', ...range })
        const expected = within(range).filter(({ service }) => service === 'shop')
        expect(seen.map((row) => [row.name, row.spanCount, row.errorCount])).toEqual(
          counts(expected, (span) => span.name ?? ''),
        )
      }),
      { numRuns: 20 },
    )
  })

  test('about dependencies', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const seen = await readDependencies(deps, { tenant, ...range })
        const calls = within(range).filter(({ kind }) => kind === 'client')
        expect(seen.map((row) => [`${row.parent} ${row.child}`, row.callCount, row.errorCount])).toEqual(
          counts(calls, (span) => `${span.service} ${span.mesh?.upstream}`),
        )
      }),
      { numRuns: 20 },
    )
  })

  const filters: [string, TraceFilter, 'roll-ups' | 'spans'][] = [
    ['everything', {}, 'roll-ups'],
    ['a service and errors', { service: 'shop', isError: true }, 'roll-ups'],
    ['a flag', { flags: ['URX'] }, 'roll-ups'],
    ['an upstream', { upstream: 'pay' }, 'spans'],
    ['an attribute', { attributes: [{ key: 'color', value: 'red' }] }, 'spans'],
    ['a duration', { minDurationNs: 1000n }, 'spans'],
  ]

  test.each(filters)('in a heatmap of %s', async (_, filter, source) => {
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const heatmap = await readHeatmap(deps, { tenant, filter, ...range })
        expect(heatmap.source).toBe(source)
        const expected = within(range).filter((span) => matches(span, filter))
        const key = (timeMs: number, bucket: number) => `${timeMs} ${String(bucket).padStart(3, '0')}`
        expect(
          heatmap.cells.map((cell) => [key(cell.timeMs, cell.bucket), cell.spanCount, cell.errorCount]),
        ).toEqual(
          counts(expected, (span) => {
            const ms = Number(span.startTimeUnixNano / 1_000_000n)
            const bucket = Math.floor(4 * Math.log2(Number(span.durationNanos) + 1))
            return key(ms - (ms % heatmap.stepMs), bucket)
          }),
        )
      }),
      { numRuns: 12 },
    )
  })
})

function matches(span: TestSpan, filter: TraceFilter): boolean {
  return (
    (filter.service === undefined || span.service === filter.service) &&
    (filter.isError === undefined || span.isError === filter.isError) &&
    (filter.flags === undefined || span.mesh?.responseFlags !== '') &&
    (filter.upstream === undefined || span.mesh?.upstream === filter.upstream) &&
    (filter.minDurationNs === undefined || (span.durationNanos ?? 0n) >= filter.minDurationNs) &&
    (filter.attributes === undefined ||
      (span.attributes ?? []).some(({ value }) => 'stringValue' in value && value.stringValue === 'red'))
  )
}

describe('names', () => {
  const range = { tenant: 'names', startMs: T0_MS, endMs: T0_MS + RANGE_MS }

  beforeAll(() =>
    insertSpans(
      deps.storage,
      [1, 2, 3].map((n) => ({
        tenant: 'names',
        traceId: 'a',
        spanId: `a${n}`,
        service: 'shop',
        name: 'GET /',
        kind: n === 1 ? 'producer' : 'server',
        startTimeUnixNano: BigInt(T0_MS + n) * 1_000_000n,
        attributes: [
          text('zone', n === 1 ? 'east' : 'west'),
          { key: 'http.response.status_code', value: n === 3 ? { stringValue: '200' } : { intValue: '200' } },
        ],
        resource: { attributes: [text('host.name', `node-${n}`)] },
        scope: { attributes: [text('scope.key', 'x')] },
      })),
    ),
  )

  test('of operations carry the kinds they occur in', async () => {
    expect(await listOperations(deps, { service: 'shop', ...range })).toEqual([
      { name: 'GET /', kinds: ['server', 'producer'], spanCount: 3, errorCount: 0 },
    ])
    expect(await listOperations(deps, { service: 'shop', kind: 'client', ...range })).toEqual([])
  })

  test('of attributes carry their level and kinds', async () => {
    expect(await listAttributeKeys(deps, range)).toEqual([
      { key: 'http.response.status_code', level: 'span', kinds: ['i', 's'] },
      { key: 'zone', level: 'span', kinds: ['s'] },
      { key: 'host.name', level: 'resource', kinds: ['s'] },
    ])
    expect(await listAttributeKeys(deps, { ...range, levels: ['scope'] })).toEqual([
      { key: 'scope.key', level: 'scope', kinds: ['s'] },
    ])
    const dayBefore = { ...range, startMs: T0_MS - 2 * 86_400_000, endMs: T0_MS - 86_400_000 }
    expect(await listAttributeKeys(deps, dayBefore)).toEqual([])
  })

  test('of values come with their kind, the most frequent first', async () => {
    expect(await listAttributeValues(deps, { ...range, key: 'http.response.status_code' })).toEqual([
      { value: '200', kind: 'i', count: 2 },
      { value: '200', kind: 's', count: 1 },
    ])
    expect(await listAttributeValues(deps, { ...range, key: 'zone', limit: 1 })).toEqual([
      { value: 'west', kind: 's', count: 2 },
    ])
    const hosts = await listAttributeValues(deps, { ...range, key: 'host.name' })
    expect(hosts.map(({ value }) => value)).toEqual(['node-1', 'node-2', 'node-3'])
    expect(await listAttributeValues(deps, { ...range, key: 'host.name', level: 'span' })).toEqual([])
    expect(await listAttributeValues(deps, { ...range, key: 'zone', service: 'pay' })).toEqual([])
  })
})

describe('heatmap geometry', () => {
  test('the buckets join without gap and hold what belongs to them', () => {
    for (let bucket = 0; bucket < 200; bucket += 1) {
      const { minNs, maxNs } = bucketBounds(bucket)
      expect(minNs).toBe(bucket === 0 ? 0n : bucketBounds(bucket - 1).maxNs + 1n)
      // Some of the first buckets hold no whole nanosecond.
      if (minNs > maxNs) continue
      expect(Math.floor(4 * Math.log2(Number(minNs) + 1))).toBe(bucket)
    }
  })

  test.each([
    [60_000, undefined, 10_000],
    [3_600_000, undefined, 60_000],
    [86_400_000, undefined, 1_800_000],
    [7 * 86_400_000, undefined, 14_400_000],
    [3_600_000, 12_345, 20_000],
    [86_400_000, 1, 90_000],
    [0, undefined, 10_000],
  ])('a range of %i ms with step %s has columns of %i ms', (length, stepMs, expected) => {
    expect(heatmapStep({ startMs: 0, endMs: length, stepMs })).toBe(expected)
  })
})
