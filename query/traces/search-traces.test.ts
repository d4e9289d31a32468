import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertSpans, type TestSpan } from '../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { text } from '../../test/support/stored-attributes.ts'
import { type SearchTracesRequest, searchTraces } from './search-traces.ts'
import type { TraceFilter } from './trace-filter.ts'

const T0_MS = 1_795_000_000_000
const T0 = BigInt(T0_MS) * 1_000_000n
const MS = 1_000_000n

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps()
})

afterAll(() => deps.close())

/** Each test has a tenant of its own, so that tests do not see each other's traces. */
function search(tenant: string, rest: Partial<SearchTracesRequest> = {}) {
  return searchTraces(deps, {
    tenant,
    filter: {},
    startMs: T0_MS,
    endMs: T0_MS + 3_600_000,
    limit: 20,
    order: 'time',
    ...rest,
  })
}

async function allPages(
  tenant: string,
  rest: Partial<SearchTracesRequest>,
  between?: (page: number) => Promise<void>,
) {
  const found: string[] = []
  const sizes: number[] = []
  let cursor: string | null = null
  do {
    const page = await search(tenant, { ...rest, cursor })
    found.push(...page.traces.map(({ traceId }) => shortId(traceId)))
    sizes.push(page.traces.length)
    cursor = page.cursor
    await between?.(sizes.length)
  } while (cursor !== null)
  return { found, sizes }
}

const shortId = (traceId: string) => traceId.replace(/^0+/, '')

let spanIds = 0

function span(tenant: string, traceId: string, atMs: number, rest: Partial<TestSpan> = {}): TestSpan {
  spanIds += 1
  return {
    tenant,
    traceId,
    spanId: spanIds.toString(16),
    service: 'shop',
    name: 'GET /',
    startTimeUnixNano: T0 + BigInt(atMs) * MS,
    ...rest,
  }
}

describe('a search by time', () => {
  test('gives one line per trace, newest matching span first, with what the whole trace holds', async () => {
    await insertSpans(deps.storage, [
      span('lines', 'a', 1000, { spanId: 'a1', durationNanos: 500n * MS, name: 'GET /cart' }),
      span('lines', 'a', 1100, {
        spanId: 'a2',
        parentSpanId: '00000000000000a1',
        service: 'pay',
        isError: true,
      }),
      span('lines', 'a', 1200, { spanId: 'a3', parentSpanId: '00000000000000a1', service: 'pay' }),
      span('lines', 'b', 1050, { parentSpanId: '00000000000000ff', service: 'pay' }),
    ])
    const page = await search('lines', { filter: { service: 'pay' } })
    expect(page.cursor).toBeNull()
    expect(page.isPartial).toBe(false)
    expect(page.traces.map(({ traceId }) => shortId(traceId))).toEqual(['a', 'b'])
    expect(page.traces[0]).toEqual({
      traceId: 'a'.padStart(32, '0'),
      rootService: 'shop',
      rootName: 'GET /cart',
      startTimeUnixNano: T0 + 1000n * MS,
      durationNanos: 500n * MS,
      spanCount: 3,
      errorCount: 1,
      services: [
        { service: 'pay', spanCount: 2, errorCount: 1 },
        { service: 'shop', spanCount: 1, errorCount: 0 },
      ],
      matched: {
        spanId: 'a3'.padStart(16, '0'),
        service: 'pay',
        name: 'GET /',
        startTimeUnixNano: T0 + 1200n * MS,
        durationNanos: MS,
        isError: false,
      },
    })
    expect(page.traces[1]).toMatchObject({ rootService: null, rootName: null, spanCount: 1 })
  })

  test('neither repeats nor leaves out a trace whose spans lie on both sides of a page border', async () => {
    const spans = Array.from({ length: 30 }, (_, n) => [
      span('border', (100 + n).toString(16), n * 10),
      // Reaches over the starts of the next twenty traces.
      span('border', (100 + n).toString(16), n * 10 + 205),
    ]).flat()
    await insertSpans(deps.storage, spans)
    const expected = Array.from({ length: 30 }, (_, n) => (129 - n).toString(16))
    for (const limit of [1, 4, 7, 30, 50]) {
      expect((await allPages('border', { limit })).found).toEqual(expected)
    }
  })

  test('goes on where it was while spans arrive, newer and late ones', async () => {
    await insertSpans(
      deps.storage,
      Array.from({ length: 12 }, (_, n) => span('arriving', (1 + n).toString(16), n * 100)),
    )
    const { found } = await allPages('arriving', { limit: 3 }, async (page) => {
      await insertSpans(deps.storage, [
        // A new trace, newer than every page.
        span('arriving', `${page}00`, 50_000 + page),
        // The traces of page 1 get older spans, those of the last page newer ones.
        span('arriving', 'c', 1),
        span('arriving', '1', 40_000),
      ])
    })
    expect(found).toEqual(['c', 'b', 'a', '9', '8', '7', '6', '5', '4', '3', '2', '1'])
  })

  test('goes on when more traces were shown than a cursor lists', async () => {
    const count = 1300
    const spans = Array.from({ length: count }, (_, n) => [
      span('many', (4096 + n).toString(16), n),
      span('many', (4096 + n).toString(16), n + 700),
    ]).flat()
    await insertSpans(deps.storage, spans)
    const { found, sizes } = await allPages('many', { limit: 150 })
    expect(found).toEqual(Array.from({ length: count }, (_, n) => (4096 + count - 1 - n).toString(16)))
    expect(sizes.length).toBeLessThan(15)
  })

  test('a trace with thousands of matching spans does not hide the others', async () => {
    await insertSpans(deps.storage, [
      ...Array.from({ length: 3000 }, (_, n) => span('crowd', 'f', 10_000 + n)),
      span('crowd', 'e', 5),
      span('crowd', 'd', 4),
    ])
    expect((await allPages('crowd', { limit: 1 })).found).toEqual(['f', 'e', 'd'])
    expect((await search('crowd', { limit: 10 })).traces.map((trace) => trace.spanCount)).toEqual([
      3000, 1, 1,
    ])
  })

  test('traces with the same start time are all found', async () => {
    await insertSpans(
      deps.storage,
      Array.from({ length: 9 }, (_, n) => span('ties', (1 + n).toString(16), 77, { spanId: '1' })),
    )
    const { found } = await allPages('ties', { limit: 2 })
    expect(found.toSorted()).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  test('looks through a long range to its end', async () => {
    const hours = [1, 30, 50, 100, 160]
    await insertSpans(
      deps.storage,
      hours.map((hour) => span('long', hour.toString(16), -hour * 3_600_000)),
    )
    const range = { startMs: T0_MS - 7 * 86_400_000, endMs: T0_MS }
    const expected = hours.map((hour) => hour.toString(16))
    for (const limit of [1, 2, 20])
      expect((await allPages('long', { ...range, limit })).found).toEqual(expected)
  })

  test('the range includes its start and excludes its end', async () => {
    await insertSpans(deps.storage, [
      span('range', '1', -1),
      span('range', '2', 0),
      span('range', '3', 999),
      span('range', '4', 1000),
    ])
    const page = await search('range', { startMs: T0_MS, endMs: T0_MS + 1000 })
    expect(page.traces.map(({ traceId }) => shortId(traceId))).toEqual(['3', '2'])
  })

  test('keeps the range of the first page', async () => {
    await insertSpans(deps.storage, [span('kept', '1', 0), span('kept', '2', 10), span('kept', '3', 20)])
    const first = await search('kept', { limit: 1 })
    const moved = { startMs: T0_MS + 15, endMs: T0_MS + 9000, limit: 10, cursor: first.cursor }
    expect((await search('kept', moved)).traces.map(({ traceId }) => shortId(traceId))).toEqual(['2', '1'])
  })
})

describe('a search by duration', () => {
  test('gives the slowest matching span first, page by page', async () => {
    await insertSpans(
      deps.storage,
      Array.from({ length: 40 }, (_, n) =>
        // Every trace has two spans: a short one and one of (n * 7) % 40 ms.
        [
          span('slow', (256 + n).toString(16), n, { durationNanos: 10n }),
          span('slow', (256 + n).toString(16), n, { durationNanos: BigInt((n * 7) % 40) * MS + MS }),
        ],
      ).flat(),
    )
    const expected = Array.from({ length: 40 }, (_, n) => n)
      .toSorted((a, b) => ((b * 7) % 40) - ((a * 7) % 40))
      .map((n) => (256 + n).toString(16))
    for (const limit of [3, 40]) {
      expect((await allPages('slow', { order: 'duration', limit })).found).toEqual(expected)
    }
  })
})

describe('a filter', () => {
  const matching: [string, TraceFilter][] = [
    ['service', { service: 'shop' }],
    ['operation', { operation: 'POST /pay' }],
    ['kind', { kind: 'client' }],
    ['status', { status: 'error' }],
    ['error', { isError: true }],
    ['shortest and longest duration, inclusive', { minDurationNs: 20n * MS, maxDurationNs: 20n * MS }],
    ['longest duration, inclusive', { maxDurationNs: 20n * MS }],
    ['span attribute', { attributes: [{ key: 'user.id', value: '42' }] }],
    ['resource attribute', { attributes: [{ key: 'k8s.pod.name', value: 'shop-1' }] }],
    [
      'attributes of both, together',
      {
        attributes: [
          { key: 'user.id', value: '42' },
          { key: 'k8s.pod.name', value: 'shop-1' },
        ],
      },
    ],
    ['empty attribute', { attributes: [{ key: 'note', value: '' }] }],
    ['only span attributes', { spanAttributes: [{ key: 'user.id', value: '42' }] }],
    ['only resource attributes', { resourceAttributes: [{ key: 'k8s.pod.name', value: 'shop-1' }] }],
    ['flag', { flags: ['URX'] }],
    ['one of several flags', { flags: ['NR', 'UF'] }],
    ['retry', { isRetried: true }],
    ['HTTP status', { httpStatus: 503 }],
    ['gRPC status', { grpcStatus: 14 }],
    ['upstream', { upstream: 'pay' }],
    ['cluster', { upstreamCluster: 'outbound|80||pay' }],
    ['endpoint', { upstreamEndpoint: '10.0.0.1:80' }],
    ['root', { isRoot: true }],
    [
      'everything at once',
      { service: 'shop', kind: 'client', isError: true, minDurationNs: 1n, flags: ['UF'], httpStatus: 503 },
    ],
  ]
  const missing: [string, TraceFilter][] = [
    ['service', { service: 'shop2' }],
    ['case', { service: 'SHOP' }],
    ['attribute key', { attributes: [{ key: 'user', value: '42' }] }],
    ['attribute value', { attributes: [{ key: 'user.id', value: '4' }] }],
    ['empty value of a missing key', { attributes: [{ key: 'nothing', value: '' }] }],
    ['empty value of a missing resource key', { resourceAttributes: [{ key: 'nothing', value: '' }] }],
    ['span attribute in the resource', { spanAttributes: [{ key: 'k8s.pod.name', value: 'shop-1' }] }],
    ['resource attribute in the span', { resourceAttributes: [{ key: 'user.id', value: '42' }] }],
    ['part of a flag', { flags: ['U'] }],
    ['first attempt', { isRetried: false, isError: true }],
    ['too long', { minDurationNs: 20n * MS + 1n }],
    ['status', { status: 'ok' }],
    ['beyond int64', { minDurationNs: 2n ** 80n }],
    ['injection', { service: "shop' OR 1=1 --" }],
    ['escapes', { attributes: [{ key: "user.id'] = '42' OR attrs['", value: "\\' OR 1" }] }],
  ]

  beforeAll(() =>
    insertSpans(deps.storage, [
      span('filters', 'abc', 10, {
        name: 'POST /pay',
        kind: 'client',
        durationNanos: 20n * MS,
        status: { code: 'error', message: 'no' },
        attributes: [{ key: 'user.id', value: { intValue: '42' } }, text('note', '')],
        resource: { attributes: [text('k8s.pod.name', 'shop-1')] },
        mesh: {
          httpStatus: 503,
          grpcStatus: 14,
          responseFlags: 'UF,URX',
          retryAttempt: 2,
          upstream: 'pay',
          upstreamCluster: 'outbound|80||pay',
          upstreamEndpoint: '10.0.0.1:80',
        },
      }),
      // Matches nothing of the above, so that an ignored condition is seen.
      span('filters', 'def', 20, {
        service: 'other',
        parentSpanId: '0000000000000001',
        durationNanos: 20n * MS + 1n,
        attributes: [text('user.id', '43')],
        resource: { attributes: [text('k8s.pod.name', 'other-1')] },
        kind: 'server',
      }),
    ]),
  )

  test.each(matching)('finds by %s', async (_, filter) => {
    const page = await search('filters', { filter })
    expect(page.traces.map(({ traceId }) => shortId(traceId))).toEqual(['abc'])
  })

  test.each(missing)('does not find by another %s', async (_, filter) => {
    const page = await search('filters', { filter })
    expect(page.traces.map(({ traceId }) => shortId(traceId))).not.toContain('abc')
  })
})

test('an attribute is found on spans, in resources, and where some have it here and some there', async () => {
  const here = (value: string) => ({ attributes: [text('where', value)] })
  await insertSpans(deps.storage, [
    span('where', '1', 1, here('both')),
    span('where', '2', 2, { resource: here('both') }),
    span('where', '3', 3, { resource: here('resource') }),
    span('where', '4', 4, here('span')),
    span('where', '5', 5, { resource: { attributes: [text('only.resource', 'x')] } }),
  ])
  const find = async (key: string, value: string) => {
    const page = await search('where', { filter: { attributes: [{ key, value }] } })
    return page.traces.map(({ traceId }) => shortId(traceId))
  }
  expect(await find('where', 'both')).toEqual(['2', '1'])
  expect(await find('where', 'resource')).toEqual(['3'])
  expect(await find('where', 'span')).toEqual(['4'])
  expect(await find('only.resource', 'x')).toEqual(['5'])
})

describe('a cursor', () => {
  test('of another search is refused', async () => {
    await insertSpans(deps.storage, [span('cursor', '1', 0), span('cursor', '2', 10)])
    const { cursor } = await search('cursor', { limit: 1 })
    expect(cursor).not.toBeNull()
    const refused = { code: 'INVALID_ARGUMENT', details: { parameter: 'cursor' } }
    await expect(search('cursor', { cursor, filter: { service: 'x' } })).rejects.toMatchObject(refused)
    await expect(search('cursor', { cursor, order: 'duration' })).rejects.toMatchObject(refused)
    await expect(search('other', { cursor })).rejects.toMatchObject(refused)
  })

  test.each(['x', '.', 'e30.', 'bnVsbA.AAAA', `${Buffer.from('{"f":1}').toString('base64url')}.AA`])(
    'that is %s is refused',
    async (cursor) => {
      await expect(search('cursor', { cursor })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    },
  )
})

test('no tenant sees the traces of another', async () => {
  await insertSpans(deps.storage, [span('red', 'aa', 0), span('blue', 'aa', 1), span('blue', 'bb', 2)])
  const page = await search('red')
  expect(page.traces).toHaveLength(1)
  expect(page.traces[0]).toMatchObject({ spanCount: 1 })
})
