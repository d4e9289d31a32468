import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppError } from '../runtime/errors.ts'
import type { Storage } from '../storage/storage.ts'
import { traceStorage } from './trace-storage.ts'

const exporter = new InMemorySpanExporter()

beforeEach(() => {
  exporter.reset()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  )
})

afterEach(() => {
  context.disable()
  trace.disable()
})

const storage = traceStorage({
  kind: 'embedded',
  database: 'meshwatch',
  version: '26',
  select: async (question) => {
    if (question.name === 'bad') throw new AppError('QUERY_TIMEOUT', 'Cannot answer: too slow')
    return []
  },
  selectColumns: async () => ({ blocks: [], rows: 0, rowsRead: null }),
  command: async () => undefined,
  insertNative: async () => undefined,
  revision: () => null,
  ping: async () => undefined,
  close: async () => undefined,
} satisfies Storage)

const select = (name: string) => storage.select({ name, tenant: 't', sql: 'SELECT {tenant:String}' })

test('a select inside a traced request has a span, also when it fails', async () => {
  await trace.getTracer('test').startActiveSpan('request', async (span) => {
    await select('traces.search')
    await expect(select('bad')).rejects.toThrow('too slow')
    await storage.selectColumns({ name: 'metrics.samples', tenant: 't', sql: 'SELECT {tenant:String}' })
    span.end()
  })
  const [search, bad, columns, request] = exporter.getFinishedSpans()
  expect(search?.name).toBe('traces.search')
  expect(search?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
  expect(search?.attributes).toMatchObject({ 'db.system.name': 'clickhouse' })
  expect(columns?.name).toBe('metrics.samples')
  expect(bad?.status.code).toBe(SpanStatusCode.ERROR)
  expect(bad?.attributes['error.type']).toBe('QUERY_TIMEOUT')
})

test('outside of a request, and for inserts, there is none', async () => {
  await select('loader')
  await trace.getTracer('test').startActiveSpan('request', async () => {
    await storage.insertNative({ table: 'spans', columns: [], blocks: [], rows: 0, deduplicationToken: '' })
  })
  expect(exporter.getFinishedSpans()).toEqual([])
})
