import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Storage } from '../../storage/storage.ts'
import { insertSpans } from '../../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { EVERY_KIND, SAMPLE_TRACE } from '../../test/support/sample-trace.ts'
import { readTrace } from './read-trace.ts'

const T0 = 1_795_000_000_000_000_000n
const MS = 1_000_000n
const id = (n: number) => n.toString(16).padStart(32, '0')

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps()
})

afterAll(() => deps.close())

const read = (traceId: string, rest: object = {}) => readTrace(deps, { tenant: 'default', traceId, ...rest })

describe('a stored trace', () => {
  test('comes back as it was sent, every kind of attribute, event and link', async () => {
    await insertSpans(deps.storage, SAMPLE_TRACE.spans)
    const trace = await read(SAMPLE_TRACE.traceId)
    const sorted = SAMPLE_TRACE.spans.toSorted((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1))
    expect(trace).toEqual({ ...SAMPLE_TRACE, spans: sorted })
    expect(trace?.spans.some((span) => span.attributes.length === EVERY_KIND.length)).toBe(true)
  })

  test('is found by an id in upper case', async () => {
    expect((await read(SAMPLE_TRACE.traceId.toUpperCase()))?.traceId).toBe(SAMPLE_TRACE.traceId)
  })

  test('spans midnight without losing a span', async () => {
    const midnight = 1_795_046_400_000_000_000n
    await insertSpans(deps.storage, [
      {
        traceId: id(1),
        spanId: 'a1',
        service: 'a',
        startTimeUnixNano: midnight - MS,
        durationNanos: 5n * MS,
      },
      { traceId: id(1), spanId: 'a2', service: 'a', startTimeUnixNano: midnight + MS },
    ])
    expect((await read(id(1)))?.spans.map(({ spanId }) => spanId)).toEqual([
      '00000000000000a1',
      '00000000000000a2',
    ])
  })

  test('is cut at the limit and says so', async () => {
    const spans = [1, 2, 3].map((n) => ({
      traceId: id(2),
      spanId: `b${n}`,
      service: 'a',
      startTimeUnixNano: T0 + BigInt(n) * MS,
    }))
    await insertSpans(deps.storage, spans)
    const cut = await read(id(2), { maxSpans: 2 })
    expect(cut?.spans.map(({ spanId }) => spanId)).toEqual(['00000000000000b1', '00000000000000b2'])
    expect(cut?.isTruncated).toBe(true)
    expect((await read(id(2), { maxSpans: 3 }))?.isTruncated).toBe(false)
  })

  test('is cut where its rows are larger than a read may be, rather than refused', async () => {
    await insertSpans(
      deps.storage,
      Array.from({ length: 300 }, (_, n) => ({
        traceId: id(8),
        spanId: (n + 1).toString(16),
        service: 'a',
        startTimeUnixNano: T0 + BigInt(n) * MS,
      })),
    )
    const storage: Storage = {
      ...deps.storage,
      select: (question) => deps.storage.select({ ...question, limits: { maxResultRows: 250 } }),
    }
    const cut = await readTrace({ ...deps, storage }, { tenant: 'default', traceId: id(8), maxSpans: 2000 })
    expect(cut?.isTruncated).toBe(true)
    expect(cut?.spans).toHaveLength(200)
    expect((await read(id(8), { maxSpans: 2000 }))?.spans).toHaveLength(300)
  })

  test('shows a span once that was sent twice, but both spans that share an id', async () => {
    const server = {
      traceId: id(3),
      spanId: 'c1',
      service: 'a',
      startTimeUnixNano: T0,
      kind: 'server' as const,
    }
    await insertSpans(deps.storage, [server])
    await insertSpans(deps.storage, [server, { ...server, kind: 'client' }])
    const trace = await read(id(3))
    expect(trace?.spans.map(({ kind }) => kind).sort()).toEqual(['client', 'server'])
  })

  test('keeps a negative duration', async () => {
    await insertSpans(deps.storage, [
      { traceId: id(4), spanId: 'd1', service: 'a', startTimeUnixNano: T0, durationNanos: -5n },
    ])
    expect((await read(id(4)))?.spans[0]?.durationNanos).toBe(-5n)
  })

  test('is limited to the range asked for', async () => {
    await insertSpans(deps.storage, [
      { traceId: id(5), spanId: 'e1', service: 'a', startTimeUnixNano: T0 },
      { traceId: id(5), spanId: 'e2', service: 'a', startTimeUnixNano: T0 + 3_600_000n * MS },
    ])
    const t0Ms = Number(T0 / MS)
    const near = await read(id(5), { around: { startMs: t0Ms - 1000, endMs: t0Ms + 1000 } })
    expect(near?.spans.map(({ spanId }) => spanId)).toEqual(['00000000000000e1'])
    const elsewhere = { startMs: t0Ms - 9e8, endMs: t0Ms - 8e8 }
    expect(await read(id(5), { around: elsewhere })).toBeNull()
  })
})

describe('a trace that cannot be read', () => {
  test('is null when nothing of it is stored', async () => {
    expect(await read(id(99))).toBeNull()
  })

  test("is null for another tenant's trace", async () => {
    await insertSpans(deps.storage, [
      { tenant: 'blue', traceId: id(6), spanId: 'f1', service: 'a', startTimeUnixNano: T0 },
    ])
    expect(await read(id(6))).toBeNull()
    expect((await readTrace(deps, { tenant: 'blue', traceId: id(6) }))?.spans).toHaveLength(1)
  })

  test('shows to each tenant its own resource, also where both have the same origin id', async () => {
    const span = { traceId: id(7), spanId: 'a', service: 'a', startTimeUnixNano: T0 }
    await insertSpans(deps.storage, [{ ...span, tenant: 'green' }])
    expect((await readTrace(deps, { tenant: 'green', traceId: id(7) }))?.spans).toHaveLength(1)
    // Stored without an origin of its own: only the id is the same.
    await deps.storage.command(
      "INSERT INTO spans SELECT * REPLACE ('pink' AS tenant) FROM (SELECT * FROM spans WHERE tenant = 'green')",
    )
    const pink = await readTrace(deps, { tenant: 'pink', traceId: id(7) })
    expect(pink?.spans[0]?.resource.attributes).toEqual([])
    const green = await readTrace(deps, { tenant: 'green', traceId: id(7) })
    expect(green?.spans[0]?.resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'a' } },
    ])
  })

  test('is refused with an id of another length', async () => {
    await expect(read('abc')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
