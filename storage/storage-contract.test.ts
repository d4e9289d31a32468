import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import { type ClickHouseServer, startClickHouseServer } from '../test/support/clickhouse-server.ts'
import { nativeBlock, type TestColumn } from '../test/support/native-block.ts'
import { applyRetention } from './apply-retention.ts'
import { clickHouseConfig, retentionConfig } from './config.ts'
import { connectStorage } from './connect-storage.ts'
import { listPartitions } from './list-partitions.ts'
import type { ManagedStorage, Parameter, Select, Storage } from './storage.ts'
import { TABLES, type TableName } from './tables.ts'

const LIMITS = {
  timeoutMs: 30_000,
  maxMemoryBytes: 2 ** 28,
  maxResultRows: 1000,
  maxRowsToRead: 0,
}

let dataDir: string
let server: ClickHouseServer

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'meshwatch-contract-'))
  server = await startClickHouseServer({ username: 'mesh', password: 'se:cret' })
})

afterAll(async () => {
  await server.remove()
  await rm(dataDir, { recursive: true })
})

/** On one node, a server's, or a cluster's, each with a database of its own. */
type Kind = 'embedded' | 'server' | 'cluster'

function open(kind: Kind, overrides: object = {}): Promise<ManagedStorage> {
  const database = kind === 'cluster' ? 'meshwatch_cluster' : 'meshwatch'
  const cluster = kind === 'cluster' ? 'mesh' : null
  const remote = { url: server.url, username: 'mesh', password: 'se:cret', database, cluster }
  return connectStorage({
    config: clickHouseConfig.parse(kind === 'embedded' ? {} : { ...remote, ...overrides }),
    dataDir,
    limits: LIMITS,
    queryConcurrency: 2,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
}

function question(sql: string, more: Partial<Select> = {}): Select {
  return { name: 'test', tenant: 'default', sql: `${sql} WHERE {tenant:String} = 'default'`, ...more }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : `not ours: ${String(error)}`),
  )
}

const SPAN_COLUMNS = [
  { name: 'tenant', type: 'String' },
  { name: 'ts', type: "DateTime64(9, 'UTC')" },
  { name: 'trace_id', type: 'FixedString(16)' },
  { name: 'service', type: 'String' },
  { name: 'kind', type: 'Int8' },
  { name: 'upstream', type: 'String' },
  { name: 'duration_ns', type: 'Int64' },
]

/** Spans of as many traces, half of them client spans; the token makes them others. */
function spans(token: string, count: number): Parameters<Storage['insertNative']>[0] {
  const now = BigInt(Date.now()) * 1_000_000n
  const seed = Buffer.from(token).toString('hex').padEnd(20, '0').slice(0, 20)
  const each = (value: (index: number) => unknown) =>
    Array.from({ length: count }, (_, index) => value(index))
  const values = [
    each(() => 'default'),
    each(() => now),
    each((index) => seed + index.toString(16).padStart(12, '0')),
    each(() => 'checkout'),
    each((index) => (index % 2 === 0 ? 3 : 2)),
    each((index) => (index % 2 === 0 ? 'payment' : '')),
    each((index) => index * 1000),
  ]
  const columns = SPAN_COLUMNS.map((column, index) => ({ ...column, values: values[index] ?? [] }))
  return {
    table: 'spans',
    columns: SPAN_COLUMNS,
    blocks: [nativeBlock(columns)],
    rows: count,
    deduplicationToken: token,
  }
}

async function totals(storage: Storage): Promise<Record<string, string>> {
  const rollUps = ['red_10s', 'red_5m', 'edges_10s', 'edges_5m']
  const parts = [
    "SELECT 'spans' AS name, count() AS n FROM spans WHERE tenant = {tenant:String}",
    "SELECT 'traces', sum(spans) FROM traces WHERE tenant = {tenant:String}",
    ...rollUps.map((table) => `SELECT '${table}', sum(calls) FROM ${table} WHERE tenant = {tenant:String}`),
  ]
  const rows = await storage.select<{ name: string; n: string }>({
    name: 'test.totals',
    tenant: 'default',
    sql: parts.join(' UNION ALL '),
  })
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]))
}

interface TypedRow {
  readonly table: TableName
  readonly columns: readonly TestColumn[]
  readonly select: string
  readonly expected: Readonly<Record<string, unknown>>
}

const NOW_NS = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n + 123_456_789n

/** One row per table that has a type no other has. */
const EVERY_TYPE: readonly TypedRow[] = [
  {
    table: 'spans',
    columns: [
      { name: 'tenant', type: 'String', values: ['types'] },
      { name: 'ts', type: "DateTime64(9, 'UTC')", values: [NOW_NS] },
      { name: 'span_id', type: 'FixedString(8)', values: ['00ff00ff00ff00ff'] },
      { name: 'flags', type: 'UInt32', values: [4_294_967_295] },
      { name: 'origin', type: 'FixedString(16)', values: ['0123456789abcdef0123456789abcdef'] },
      { name: 'kind', type: 'Int8', values: [5] },
      { name: 'duration_ns', type: 'Int64', values: [-1n] },
      { name: 'is_error', type: 'Bool', values: [true] },
      { name: 'http_status', type: 'UInt16', values: [503] },
      { name: 'grpc_status', type: 'Int16', values: [-1] },
      {
        name: 'attrs',
        type: 'Map(String, String)',
        values: [
          [
            ['b', "x'y\n"],
            ['a', '\u00e9'],
            ['b', 'last'],
          ],
        ],
      },
    ],
    select:
      'toUnixTimestamp64Nano(ts) AS ns, hex(span_id) AS span, hex(origin) AS o, flags, kind, duration_ns, is_error, http_status, grpc_status, attrs',
    expected: {
      ns: String(NOW_NS),
      span: '00FF00FF00FF00FF',
      o: '0123456789ABCDEF0123456789ABCDEF',
      flags: 4_294_967_295,
      kind: 'consumer',
      duration_ns: '-1',
      is_error: true,
      http_status: 503,
      grpc_status: -1,
      attrs: { a: '\u00e9', b: 'last' },
    },
  },
  {
    table: 'otlp_exponential_histograms',
    columns: [
      { name: 'tenant', type: 'String', values: ['types'] },
      { name: 'ts', type: "DateTime64(9, 'UTC')", values: [NOW_NS] },
      { name: 'present', type: 'UInt8', values: [255] },
      { name: 'count', type: 'UInt64', values: [18446744073709551615n] },
      { name: 'sum', type: 'Float64', values: [Number.NaN] },
      { name: 'min', type: 'Float64', values: [Number.NEGATIVE_INFINITY] },
      { name: 'max', type: 'Float64', values: [0.1] },
      { name: 'scale', type: 'Int32', values: [-4] },
      { name: 'positive_counts', type: 'Array(UInt64)', values: [[1n, 0n, 18446744073709551615n]] },
      { name: 'negative_counts', type: 'Array(UInt64)', values: [[]] },
    ],
    select: 'present, count, sum, min, max, scale, positive_counts, negative_counts',
    expected: {
      present: 255,
      count: '18446744073709551615',
      sum: 'nan',
      min: '-inf',
      max: 0.1,
      scale: -4,
      positive_counts: ['1', '0', '18446744073709551615'],
      negative_counts: [],
    },
  },
  {
    table: 'attribute_keys',
    columns: [
      { name: 'tenant', type: 'String', values: ['types'] },
      { name: 'day', type: 'Date', values: [Math.floor(Date.now() / 86_400_000)] },
      { name: 'level', type: 'Int8', values: [4] },
      { name: 'key', type: 'String', values: ['k'] },
    ],
    select: 'level, key, kind',
    expected: { level: 'log', key: 'k', kind: '' },
  },
]

describe.each(['embedded', 'server', 'cluster'] as const)('storage, %s', (kind) => {
  let storage: ManagedStorage
  /** Another connection, for looking on while all places of the first are taken. */
  let observer: ManagedStorage

  beforeAll(async () => {
    storage = await open(kind)
    observer = kind === 'embedded' ? storage : await open(kind)
  })
  afterAll(async () => {
    await storage.close()
    if (observer !== storage) await observer.close()
  })

  describe('parameters', () => {
    const hostile =
      'it\'s \\ "x" \\\' \n\r\t\0\b\f ; DROP TABLE spans; -- {tenant:String} \u00e9\u{1f600} \\N'

    test.each<[string, Parameter, unknown]>([
      ['String', hostile, hostile],
      ['String', '', ''],
      ['String', '\\N', '\\N'],
      ['Array(String)', [hostile, "',']", ''], [hostile, "',']", '']],
      ['Array(Array(String))', [[hostile], []], [[hostile], []]],
      ['UInt64', 18446744073709551615n, '18446744073709551615'],
      ['Int64', '-9223372036854775808', '-9223372036854775808'],
      ['Array(UInt64)', [1n, 2], ['1', '2']],
      ['UInt8', 7, 7],
      ['Float64', 0.1, 0.1],
      ['Float64', 1e300, 1e300],
      ['Float64', -5e-324, -5e-324],
      ['Float64', Number.NaN, 'nan'],
      ['Float64', -0, 0],
      ['Int64', -0, '0'],
      ['UInt32', -0, 0],
      ['Array(Float64)', [1.5, Number.POSITIVE_INFINITY], [1.5, 'inf']],
      ['Bool', true, true],
      ['Nullable(String)', null, null],
      ["DateTime64(9, 'UTC')", '2026-11-20 10:00:00.123456789', '2026-11-20 10:00:00.123456789'],
    ])('of type %s (%#)', async (type, value, expected) => {
      const rows = await storage.select(question(`SELECT {x:${type}} AS x`, { params: { x: value } }))
      expect(rows).toEqual([{ x: expected }])
    })

    test('of any text come back as they were, many at a time', async () => {
      const text = fc.string({ unit: 'binary', maxLength: 40 })
      const samples = fc.sample(fc.record({ one: text, many: fc.array(text) }), { numRuns: 200, seed: 7 })
      for (let start = 0; start < samples.length; start += 40) {
        await Promise.all(
          samples.slice(start, start + 40).map(async (params) => {
            const sql = 'SELECT {one:String} AS one, {many:Array(String)} AS many'
            expect(await storage.select(question(sql, { params }))).toEqual([params])
          }),
        )
      }
    })

    test('of fifty thousand ids fit into a question', async () => {
      const ids = Array.from({ length: 50_000 }, (_, index) => index.toString(16).padStart(32, '0'))
      const asked = question('SELECT length({ids:Array(String)}) AS n', { params: { ids } })
      expect(await storage.select(asked)).toEqual([{ n: '50000' }])
    })

    test('that are not bound are refused', async () => {
      await storage.select(question('SELECT {x:String} AS x', { params: { x: 'left behind' } }))
      expect(await codeOf(storage.select(question('SELECT {x:String} AS x')))).toBe('INTERNAL')
    })

    test('that are no number are refused by the type, not taken as SQL', async () => {
      const asked = question('SELECT {x:UInt64} AS x', { params: { x: '1) OR (1=1' } })
      expect(await codeOf(storage.select(asked))).toBe('INTERNAL')
    })
  })

  describe('the tenant', () => {
    test('is bound', async () => {
      const sql = 'SELECT {tenant:String} AS t'
      expect(await storage.select({ name: 'test', tenant: "a'b", sql })).toEqual([{ t: "a'b" }])
    })

    test.each(['SELECT 1', 'SELECT {t:String}', 'SELECT {tenant:UInt64}'])(
      'must be in the statement: %s is refused before it is sent',
      async (sql) => {
        const asked = storage.select({ name: 'test.leak', tenant: 'default', sql, params: { t: 'x' } })
        await expect(asked).rejects.toThrow('Cannot ask test.leak: the statement does not filter by')
      },
    )

    test('cannot be given as a parameter', async () => {
      const asked = question('SELECT 1', { params: { tenant: 'other' } })
      expect(await codeOf(storage.select(asked))).toBe('INTERNAL')
    })
  })

  describe('limits', () => {
    test.each<[string, string, Partial<Select>, string]>([
      ['rows of the result', 'SELECT number FROM numbers(1001)', {}, 'RESULT_TOO_LARGE'],
      [
        'narrower rows',
        'SELECT number FROM numbers(11)',
        { limits: { maxResultRows: 10 } },
        'RESULT_TOO_LARGE',
      ],
      [
        'rows read',
        'SELECT count() FROM numbers(1000000)',
        { limits: { maxRowsToRead: 1000 } },
        'RESULT_TOO_LARGE',
      ],
      [
        'memory',
        'SELECT length(groupArray(toString(number))) FROM numbers(100000000)',
        {},
        'RESULT_TOO_LARGE',
      ],
      ['bytes of the result', "SELECT repeat('x', 1000000) AS x FROM numbers(200)", {}, 'RESULT_TOO_LARGE'],
      [
        'time',
        'SELECT sum(sipHash64(number)) FROM numbers(100000000000)',
        { limits: { timeoutMs: 300 } },
        'QUERY_TIMEOUT',
      ],
    ])('%s', async (_name, sql, more, code) => {
      expect(await codeOf(storage.select(question(sql, more)))).toBe(code)
      expect(await storage.select(question('SELECT 1 AS x'))).toEqual([{ x: 1 }])
    })

    test('cannot be widened by a question', async () => {
      const asked = question('SELECT number FROM numbers(1001)', { limits: { maxResultRows: 5000 } })
      expect(await codeOf(storage.select(asked))).toBe('RESULT_TOO_LARGE')
    })

    test('hold for every part of a union', async () => {
      const sql = 'SELECT 1 AS n UNION ALL SELECT number FROM numbers(1001)'
      expect(await codeOf(storage.select(question(sql)))).toBe('RESULT_TOO_LARGE')
    })

    test('of one question do not stay for the next', async () => {
      await storage
        .select(question('SELECT 1', { settings: { max_result_bytes: 1, result_overflow_mode: 'break' } }))
        .catch(() => [])
      const rows = await storage.select(question('SELECT number FROM numbers(1000)'))
      expect(rows).toHaveLength(1000)
    })
  })

  describe('columns', () => {
    test('of every type we ask for come with every bit', async () => {
      const answer = await storage.selectColumns(
        question(
          `SELECT
  toUInt8(number + 1) AS byte, number = 0 AS flag, toUInt32(4294967295) AS wide, toInt64(-1) AS negative,
  reinterpretAsFloat64(0x7FF0000000000002) AS marker, toFloat64(number) / 3 AS third, -0.0 AS zero,
  concat('t\\0é', toString(number)) AS text, unhex('00ff') :: FixedString(2) AS bytes,
  range(number * 2) :: Array(UInt16) AS list, [[toFloat64(number)], []] AS nested, map(toLowCardinality('a'), 'b', 'c', '') AS pairs, [toLowCardinality('x')] AS few, [] :: Array(LowCardinality(String)) AS nothing,
  toLowCardinality('same') AS repeated, CAST(1, 'Enum8(\\'x\\' = 1)') AS enumerated
FROM numbers(3)`.replaceAll('\\\\', '\\'),
        ),
      )
      expect(answer.rows).toBe(3)
      const [block] = answer.blocks
      const column = (name: string) => block?.columns.get(name)
      expect(column('byte')).toEqual({ kind: 'number', values: Uint8Array.of(1, 2, 3) })
      expect(column('flag')).toEqual({ kind: 'number', values: Uint8Array.of(1, 0, 0) })
      expect(column('wide')).toEqual({
        kind: 'number',
        values: Uint32Array.of(2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1),
      })
      expect(column('negative')).toEqual({ kind: 'number', values: BigInt64Array.of(-1n, -1n, -1n) })
      expect(column('third')).toEqual({ kind: 'number', values: Float64Array.of(0, 1 / 3, 2 / 3) })
      expect(column('zero')).toEqual({ kind: 'number', values: Float64Array.of(-0, -0, -0) })
      expect(column('text')).toEqual({ kind: 'text', values: ['t\0é0', 't\0é1', 't\0é2'] })
      expect(column('bytes')).toEqual({
        kind: 'bytes',
        width: 2,
        values: Uint8Array.of(0, 255, 0, 255, 0, 255),
      })
      expect(column('list')).toEqual({
        kind: 'array',
        ends: Float64Array.of(0, 2, 6),
        elements: [{ kind: 'number', values: Uint16Array.of(0, 1, 0, 1, 2, 3) }],
      })
      expect(column('nested')).toEqual({
        kind: 'array',
        ends: Float64Array.of(2, 4, 6),
        elements: [
          {
            kind: 'array',
            ends: Float64Array.of(1, 1, 2, 2, 3, 3),
            elements: [{ kind: 'number', values: Float64Array.of(0, 1, 2) }],
          },
        ],
      })
      expect(column('pairs')).toMatchObject({
        elements: [{ values: ['a', 'c', 'a', 'c', 'a', 'c'] }, { values: ['b', '', 'b', '', 'b', ''] }],
      })
      expect(column('few')).toMatchObject({ elements: [{ values: ['x', 'x', 'x'] }] })
      expect(column('nothing')).toMatchObject({ ends: Float64Array.of(0, 0, 0), elements: [{ values: [] }] })
      expect(column('repeated')).toEqual({ kind: 'text', values: ['same', 'same', 'same'] })
      expect(column('enumerated')).toEqual({ kind: 'number', values: Int8Array.of(1, 1, 1) })
      const marker = column('marker')
      const numbers = marker?.kind === 'number' ? marker.values : new Float64Array(0)
      expect([...new Uint32Array(numbers.buffer).subarray(0, 2)]).toEqual([2, 0x7ff00000])
    })

    test('of many blocks, and of none', async () => {
      const many = question('SELECT number AS n FROM numbers(1000)', { settings: { max_block_size: 300 } })
      const answer = await storage.selectColumns(many)
      expect(answer.rows).toBe(1000)
      let next = 0n
      for (const { columns } of answer.blocks) {
        const column = columns.get('n')
        if (column?.kind !== 'number') throw new TypeError('no numbers')
        for (const value of column.values) expect(value).toBe(next++)
      }
      const none = await storage.selectColumns(question('SELECT number AS n FROM numbers(0)'))
      expect(none).toMatchObject({ blocks: [], rows: 0 })
    })

    test('have the same limits, and errors as a whole', async () => {
      const tooMany = storage.selectColumns(question('SELECT number FROM numbers(1001)'))
      expect(await codeOf(tooMany)).toBe('RESULT_TOO_LARGE')
      const tooSlow = question('SELECT sum(sipHash64(number)) FROM numbers(100000000000)', {
        limits: { timeoutMs: 300 },
      })
      expect(await codeOf(storage.selectColumns(tooSlow))).toBe('QUERY_TIMEOUT')
      const late = question('SELECT throwIf(number = 999) FROM numbers(1000)')
      expect(await codeOf(storage.selectColumns(late))).toBe('INTERNAL')
      expect(await codeOf(storage.selectColumns({ name: 't', tenant: 'a', sql: 'SELECT 1' }))).toBe(
        'INTERNAL',
      )
      const unknown = storage.selectColumns(question('SELECT generateUUIDv4() AS x'))
      await expect(unknown).rejects.toThrow('no reader for the type UUID')
    })
  })

  test('questions whose callers go are stopped and leave their places to others', async () => {
    const controller = new AbortController()
    const endless = question('SELECT sum(sipHash64(number)) FROM numbers(100000000001)', {
      signal: controller.signal,
    })
    // As many as run at the same time. By themselves they would go on for the thirty seconds of their limit.
    const asked = [storage.select(endless), storage.selectColumns(endless)].map(codeOf)
    await expect.poll(() => running(kind), { timeout: 20_000 }).toBeGreaterThan(0)
    controller.abort()
    expect(await Promise.all(asked)).toEqual(['CANCELLED', 'CANCELLED'])
    const started = performance.now()
    const sql = 'SELECT {a:UInt8} AS a'
    const next = [1, 2].map((a) => storage.select(question(sql, { params: { a } })))
    expect(await Promise.all(next)).toEqual([[{ a: 1 }], [{ a: 2 }]])
    expect(performance.now() - started).toBeLessThan(15_000)
    // The embedded engine keeps a statement in its list until the session's next one, so the list tells of servers only.
    if (kind !== 'embedded') await expect.poll(() => running(kind), { timeout: 15_000 }).toBe(0)
  })

  /** How many endless questions there are; where all places are taken, it is known that they have begun. */
  async function running(where: Kind): Promise<number> {
    if (where === 'embedded') return 1
    const rows = await observer.inspect<{ n: string }>(
      "SELECT count() AS n FROM system.processes WHERE position(query, '100000000' || '001') > 0",
    )
    return Number(rows[0]?.n)
  }

  test('a slow question does not hold up another', async () => {
    const order: string[] = []
    await Promise.all([
      storage.select(question('SELECT sleep(1)')).then(() => order.push('slow')),
      storage.select(question('SELECT {a:UInt8}', { params: { a: 1 } })).then(() => order.push('quick')),
    ])
    expect(order).toEqual(['quick', 'slow'])
  })

  test('an error of ClickHouse is named and leaves everything working', async () => {
    await expect(storage.select(question('SELECT * FROM nowhere'))).rejects.toMatchObject({
      code: 'INTERNAL',
      details: { clickhouseCode: 60 },
    })
    await expect(storage.command('DROP TABLE nowhere')).rejects.toMatchObject({ code: 'INTERNAL' })
    await storage.ping()
  })

  test('a span inserted twice under one token is there once, in every view', async () => {
    await storage.insertNative(spans('token-1', 100))
    const once = await totals(storage)
    await storage.insertNative(spans('token-1', 100))
    expect(await totals(storage)).toEqual(once)
    expect(once).toEqual({
      spans: '100',
      traces: '100',
      red_10s: '100',
      red_5m: '100',
      edges_10s: '50',
      edges_5m: '50',
    })
    await storage.insertNative(spans('token-2', 100))
    expect(await totals(storage)).toMatchObject({
      spans: '200',
      traces: '200',
      red_5m: '200',
      edges_5m: '100',
    })
  })

  test('several blocks of one insert become one part per day', async () => {
    const today = Math.floor(Date.now() / 86_400_000)
    const block = (key: string) =>
      nativeBlock([
        { name: 'day', type: 'Date', values: [today, today - 1] },
        { name: 'key', type: 'String', values: [key, key] },
      ])
    await storage.insertNative({
      table: 'attribute_keys',
      columns: [
        { name: 'day', type: 'Date' },
        { name: 'key', type: 'String' },
      ],
      blocks: [block('a'), block('b'), block('c')],
      rows: 6,
      deduplicationToken: 'blocks',
    })
    const parts = await storage.inspect<{ n: string }>(
      "SELECT rows AS n FROM system.parts WHERE active AND database = currentDatabase() AND startsWith(table, 'attribute_keys')",
    )
    expect(parts).toEqual([{ n: '3' }, { n: '3' }])
  })

  test('retention reaches every table', async () => {
    const expected = TABLES.map((table) => (kind === 'cluster' ? `${table}_local` : table)).sort()
    const config = retentionConfig.parse({ traces: '14d', metrics: '15d' })
    await applyRetention({ storage, config, clock: systemClock, logger: pino({ level: 'silent' }) })
    const rows = await storage.inspect<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(engine_full, ' TTL .*toIntervalDay\\\\((14|15|16)\\\\)') ORDER BY name",
    )
    expect(rows.map(({ name }) => name)).toEqual(expected)
    expect((await listPartitions(storage)).map(({ table }) => table)).toContain('spans')
  })

  test.each(EVERY_TYPE)(
    'Native columns of $table come back as they were sent',
    async ({ table, columns, select, expected }) => {
      await storage.insertNative({
        table,
        columns,
        blocks: [nativeBlock(columns)],
        rows: 1,
        deduplicationToken: `types-${table}`,
      })
      const rows = await storage.select({
        name: 'test',
        tenant: 'types',
        sql: `SELECT ${select} FROM ${table} WHERE tenant = {tenant:String}`,
      })
      expect(rows).toEqual([expected])
    },
  )
})

describe('a server', () => {
  let storage: ManagedStorage
  beforeAll(async () => {
    await server.behave({ mode: 'normal' })
    storage = await open('server')
  })
  afterAll(async () => {
    await storage.close()
  })

  test('that is killed is unavailable and comes back', async () => {
    await server.kill()
    expect(await codeOf(storage.ping())).toBe('STORAGE_UNAVAILABLE')
    expect(await codeOf(storage.select(question('SELECT 1')))).toBe('STORAGE_UNAVAILABLE')
    expect(await codeOf(storage.insertNative(spans('outage', 10)))).toBe('STORAGE_UNAVAILABLE')
    await server.start()
    await storage.insertNative(spans('outage', 10))
    await storage.ping()
  })

  test('that stalls is unavailable after two seconds and comes back', async () => {
    await server.behave({ mode: 'stall' })
    const started = performance.now()
    expect(await codeOf(storage.ping())).toBe('STORAGE_UNAVAILABLE')
    expect(performance.now() - started).toBeLessThan(20_000)
    await server.behave({ mode: 'normal' })
    await storage.ping()
  })

  test.each([
    [241, 'STORAGE_UNAVAILABLE', 'Memory limit (total) exceeded'],
    [252, 'STORAGE_UNAVAILABLE', 'Too many parts'],
    [202, 'STORAGE_UNAVAILABLE', 'Too many simultaneous queries'],
    [497, 'STORAGE_UNAVAILABLE', 'mesh: Not enough privileges'],
    [62, 'INTERNAL', 'Syntax error'],
  ])('that answers an insert with %d: %s', async (errorCode, code, errorMessage) => {
    await server.behave({ mode: 'error', errorCode, errorMessage, only: 'INSERT' })
    expect(await codeOf(storage.insertNative(spans('failing', 10)))).toBe(code)
    await server.behave({ mode: 'normal', only: '' })
    await storage.ping()
  })

  test.each<[string, object, string, string, RegExp]>([
    [
      'the wrong password',
      { password: 'guess' },
      'normal',
      'CANNOT_START',
      /^Cannot use ClickHouse at http:\/\/127\.0\.0\.1:\d+: ClickHouse refuses the user name or password$/,
    ],
    [
      'nobody listening',
      { url: 'http://127.0.0.1:1' },
      'normal',
      'STORAGE_UNAVAILABLE',
      /^Cannot use ClickHouse at http:\/\/127\.0\.0\.1:1: ClickHouse refuses the connection$/,
    ],
    [
      'missing rights',
      {},
      'error',
      'CANNOT_START',
      /^Cannot use ClickHouse at .*: the ClickHouse user lacks a right \(mesh: Not enough privileges\)$/,
    ],
  ])('is refused at start with one sentence: %s', async (_name, overrides, mode, code, sentence) => {
    await server.behave({
      mode: mode as 'normal',
      errorCode: 497,
      errorMessage: 'mesh: Not enough privileges',
      only: '',
    })
    const error = await open('server', overrides).catch((thrown: unknown) => thrown)
    await server.behave({ mode: 'normal' })
    expect(error).toMatchObject({ code, message: expect.stringMatching(sentence) })
    expect(String(error)).not.toMatch(/guess|se:cret/)
  })

  test('that is too old is refused at start', async () => {
    await server.behave({ version: '25.3.1.1' })
    await expect(open('server')).rejects.toMatchObject({
      code: 'CANNOT_START',
      message: 'Cannot use the ClickHouse server: its version 25.3.1.1 is older than 25.11',
    })
    await server.behave({ version: '' })
  })
})
