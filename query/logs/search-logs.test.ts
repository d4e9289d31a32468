import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertLogs, type TestLog } from '../../test/support/insert-logs.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { EVERY_KIND } from '../../test/support/sample-trace.ts'
import { text } from '../../test/support/stored-attributes.ts'
import type { LogFilter } from './log-conditions.ts'
import { type SearchLogsRequest, searchLogs } from './search-logs.ts'

const T0_MS = 1_795_000_000_000
const T0 = BigInt(T0_MS) * 1_000_000n

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps()
})

afterAll(() => deps.close())

/** Each test has a tenant of its own. */
function search(tenant: string, rest: Partial<SearchLogsRequest> = {}) {
  return searchLogs(deps, {
    tenant,
    filter: {},
    startMs: T0_MS,
    endMs: T0_MS + 3_600_000,
    limit: 100,
    ...rest,
  })
}

function log(tenant: string, body: string, at: bigint, rest: Partial<TestLog> = {}): TestLog {
  return { tenant, service: 'shop', timeUnixNano: T0 + at, body: { stringValue: body }, ...rest }
}

function bodies(logs: readonly { body: unknown }[]): string[] {
  return logs.map(({ body }) => (body as { stringValue: string }).stringValue)
}

async function allPages(tenant: string, limit: number, between?: () => Promise<void>): Promise<string[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const page = await search(tenant, { limit, cursor })
    found.push(...bodies(page.logs))
    cursor = page.cursor
    await between?.()
  } while (cursor !== null)
  return found
}

test('a record comes back as it was sent', async () => {
  const body = { kvlistValue: { values: EVERY_KIND } }
  const resource = { attributes: [text('service.name', 'shop'), text('host.name', 'a')], schemaUrl: 'r' }
  const scope = { name: 'lib', version: '1', attributes: [text('s', 'x')] }
  await insertLogs(deps.storage, [
    {
      tenant: 'whole',
      service: 'shop',
      timeUnixNano: T0 + 1n,
      traceId: 'ab',
      spanId: 'cd',
      severityNumber: 17,
      severityText: 'ERROR',
      eventName: 'mesh.outlier.ejected',
      body,
      attributes: EVERY_KIND,
      resource,
      scope,
    },
    { tenant: 'whole', service: 'shop', timeUnixNano: T0 },
  ])
  const { logs, cursor } = await search('whole')
  expect(cursor).toBeNull()
  expect(logs[0]).toEqual({
    timeUnixNano: T0 + 1n,
    observedTimeUnixNano: T0 + 1n,
    traceId: 'ab'.padStart(32, '0'),
    spanId: 'cd'.padStart(16, '0'),
    flags: 0,
    severityNumber: 17,
    severityText: 'ERROR',
    service: 'shop',
    eventName: 'mesh.outlier.ejected',
    body,
    attributes: EVERY_KIND,
    droppedAttributesCount: 0,
    resource: { droppedAttributesCount: 0, ...resource },
    scope: { droppedAttributesCount: 0, schemaUrl: '', ...scope },
  })
  expect(logs[1]).toMatchObject({ traceId: null, spanId: null, attributes: [] })
})

describe('pages', () => {
  test('join without gap, also among records of one time', async () => {
    await insertLogs(
      deps.storage,
      Array.from({ length: 60 }, (_, n) =>
        log('pages', `m${n}`, BigInt(Math.floor(n / 20)) * 400_000_000_000n),
      ),
    )
    const expected = [2, 1, 0].map((group) =>
      Array.from({ length: 20 }, (_, n) => `m${group * 20 + n}`).sort(),
    )
    for (const limit of [1, 7, 20, 59, 60, 61]) {
      const found = await allPages('pages', limit)
      expect([0, 20, 40].map((from) => found.slice(from, from + 20).sort())).toEqual(expected)
      expect(found).toHaveLength(60)
    }
  })

  test('go on where they were while records arrive', async () => {
    await insertLogs(
      deps.storage,
      [1, 2, 3, 4, 5].map((n) => log('arriving', `m${n}`, BigInt(n) * 1000n)),
    )
    let late = 0
    const found = await allPages('arriving', 2, () => {
      late += 1
      return insertLogs(deps.storage, [log('arriving', `late ${late}`, BigInt(100 + late) * 1000n)])
    })
    expect(found).toEqual(['m5', 'm4', 'm3', 'm2', 'm1'])
  })

  test('refuse the cursor of another search', async () => {
    await insertLogs(deps.storage, [log('cursor', 'a', 1n), log('cursor', 'b', 2n)])
    const { cursor } = await search('cursor', { limit: 1 })
    const refused = { code: 'INVALID_ARGUMENT', details: { parameter: 'cursor' } }
    await expect(search('cursor', { cursor, filter: { service: 'x' } })).rejects.toMatchObject(refused)
    await expect(search('other', { cursor })).rejects.toMatchObject(refused)
    await expect(search('cursor', { cursor: 'x' })).rejects.toMatchObject(refused)
  })
})

describe('a filter', () => {
  beforeAll(() =>
    insertLogs(deps.storage, [
      log('filters', 'Straße GESPERRT: 100% of %_ patterns', 10n, {
        traceId: 'ab',
        spanId: 'cd',
        severityNumber: 13,
        eventName: 'mesh.breaker.opened',
        attributes: [{ key: 'n', value: { intValue: '7' } }],
        resource: { attributes: [text('host.name', 'node-1')] },
      }),
      log('filters', 'other', 20n, { service: 'pay', traceId: 'ff', severityNumber: 9 }),
    ]),
  )

  const traceId = 'ab'.padStart(32, '0')
  test.each<[string, LogFilter]>([
    ['trace', { traceId }],
    ['span', { spanId: 'cd'.padStart(16, '0') }],
    ['service', { service: 'shop' }],
    ['least severity, inclusive', { minSeverity: 13 }],
    ['event name', { eventName: 'mesh.breaker.opened' }],
    ['text', { text: 'straße gesperrt' }],
    ['text that looks like a pattern', { text: '100% OF %_' }],
    ['attribute', { attributes: [{ key: 'n', value: '7' }] }],
    ['resource attribute', { attributes: [{ key: 'host.name', value: 'node-1' }] }],
    [
      'all at once',
      { traceId, service: 'shop', minSeverity: 1, text: 'of', attributes: [{ key: 'n', value: '7' }] },
    ],
  ])('finds by %s', async (_, filter) => {
    expect(bodies((await search('filters', { filter })).logs)).toEqual([
      'Straße GESPERRT: 100% of %_ patterns',
    ])
  })

  test.each<[string, LogFilter]>([
    ['trace', { traceId: 'ac'.padStart(32, '0') }],
    ['severity', { minSeverity: 14 }],
    ['text', { text: 'gesperrt%of' }],
    ['attribute', { attributes: [{ key: 'n', value: '8' }] }],
    ['combination', { service: 'pay', text: 'gesperrt' }],
  ])('does not find by another %s', async (_, filter) => {
    expect((await search('filters', { filter })).logs).toEqual([])
  })
})

test('the range includes its start and excludes its end', async () => {
  await insertLogs(deps.storage, [log('range', 'before', -1n), log('range', 'first', 0n)])
  await insertLogs(deps.storage, [log('range', 'last', 999_999n), log('range', 'after', 1_000_000n)])
  expect(bodies((await search('range', { startMs: T0_MS, endMs: T0_MS + 1 })).logs)).toEqual([
    'last',
    'first',
  ])
})

test('no tenant sees the records of another', async () => {
  await insertLogs(deps.storage, [log('red', 'mine', 0n), log('blue', 'theirs', 0n)])
  expect(bodies((await search('red')).logs)).toEqual(['mine'])
})
