import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Attributes,
  createTraceState,
  type HrTime,
  ROOT_CONTEXT,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  ValueType,
} from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AggregationType,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../runtime/clock.ts'
import { silentLogger } from '../runtime/logger.ts'
import { clickHouseConfig, queryConfig, readLimits } from '../storage/config.ts'
import { connectStorage } from '../storage/connect-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { decodeTraceMessage } from './support/otlp-trace-schema.ts'
import { readMetrics, recordedMetric } from './support/recorded-metrics.ts'
import { recordedAttributes, recordedLog, recordedNanos, recordedSpan } from './support/recorded-telemetry.ts'
import { exportWith, OTLP_PROTOCOLS, type OtlpProtocol, sdkExporters } from './support/sdk-exporters.ts'
import { type MeshwatchServer, startMeshwatch } from './support/start-meshwatch.ts'

const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'

/** Every kind of value that the SDK takes, with the edges that a JavaScript number has. */
const EVERY_KIND: Attributes = {
  text: 'naïve ☕ "quoted" \\ \n end',
  'text.empty': '',
  yes: true,
  no: false,
  int: 200,
  'int.zero': 0,
  'int.negative': -42,
  'int.large': Number.MAX_SAFE_INTEGER,
  double: 0.1,
  'double.tiny': 5e-324,
  'double.large': 4503599627370495.5,
  bytes: new Uint8Array([0, 1, 127, 128, 255]),
  'bytes.empty': new Uint8Array(0),
  texts: ['a', 'b', ''],
  ints: [1, 2, 3],
  doubles: [0.5, 2.25],
  bools: [true, false],
  'list.empty': [],
  'list.mixed': ['a', 1, 0.5, true, null, ['nested']],
  map: { inner: { deep: [1, { deeper: 'x' }] }, flag: false },
  'map.empty': {},
  nothing: null,
}

let server: MeshwatchServer
let dataDir: string
let isStopped = false
const metricsSent = new Map<OtlpProtocol, MetricData[]>()

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'meshwatch-sdk-'))
  server = await startMeshwatch({ dataDir })
}, 30_000)

afterAll(async () => {
  if (!isStopped) await server?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const resourceOf = (protocol: OtlpProtocol) =>
  resourceFromAttributes(
    {
      'service.name': `sdk-${protocol}`,
      'host.cpus': 8,
      'host.ratio': 0.5,
      'host.on': true,
      'host.tags': ['a', 'b'],
    },
    { schemaUrl: SCHEMA_URL },
  )

/** A moment of the last second, to the nanosecond. */
function startTime(): HrTime {
  return [Math.floor(systemClock.now() / 1000) - 1, 123_456_789]
}

function later([seconds, nanos]: HrTime, more: number): HrTime {
  return [seconds, nanos + more]
}

function recordTrace(protocol: OtlpProtocol): ReadableSpan[] {
  const memory = new InMemorySpanExporter()
  const provider = new TracerProvider({
    resource: resourceOf(protocol),
    spanLimits: {
      attributeCountLimit: Object.keys(EVERY_KIND).length + 1,
      eventCountLimit: 2,
      linkCountLimit: 1,
    },
    spanProcessors: [new SimpleSpanProcessor({ exporter: memory })],
  })
  const tracer = provider.getTracer('sdk-test', '1.2.3', { schemaUrl: SCHEMA_URL })
  const start = startTime()
  const remote = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: crypto.randomUUID().replaceAll('-', ''),
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
    traceState: createTraceState('vendor=value,other=1'),
    isRemote: true,
  })
  const linked = {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    traceFlags: 1,
    traceState: createTraceState('linked=1'),
  }
  const root = tracer.startSpan(
    'GET /cart',
    {
      kind: SpanKind.SERVER,
      startTime: start,
      attributes: EVERY_KIND,
      links: [
        { context: { traceId: '3'.repeat(32), spanId: '4'.repeat(16), traceFlags: 0 } },
        { context: linked, attributes: { why: 'batch', count: 3 } },
      ],
    },
    remote,
  )
  root.setAttributes({ 'one.more': 1, 'too.many': 2, 'far.too.many': 3 })
  root.addEvent('dropped', {}, later(start, 1))
  root.addEvent('cache.miss', { key: 'cart:7', tries: 2 }, later(start, 1000))
  root.addEvent('empty', undefined, later(start, 2001))
  const inRoot = trace.setSpan(remote, root)
  const call = tracer.startSpan(
    'POST checkout',
    {
      kind: SpanKind.CLIENT,
      startTime: later(start, 5000),
      attributes: { 'http.response.status_code': 503 },
    },
    inRoot,
  )
  call.recordException(new TypeError('connection reset'), later(start, 6000))
  call.setStatus({ code: SpanStatusCode.ERROR, message: 'upstream said 503' })
  call.end(later(start, 700_000_001))
  for (const kind of [SpanKind.INTERNAL, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
    const span = tracer.startSpan(`kind ${kind}`, { kind, startTime: later(start, 8000 + kind) }, inRoot)
    span.setStatus({ code: SpanStatusCode.OK })
    span.end(later(start, 9000))
  }
  root.end(later(start, 800_000_000))
  return memory
    .getFinishedSpans()
    .sort((a, b) => (recordedNanos(a.startTime) < recordedNanos(b.startTime) ? -1 : 1))
}

/** Protobuf does not tell a list without items from one that is not there. */
function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, inner]) => !(Array.isArray(inner) && inner.length === 0))
  return Object.fromEntries(members.map(([key, inner]) => [key, withoutEmptyLists(inner)]))
}

/** Asks until the loader has brought what was acknowledged into ClickHouse. */
async function ask<Answer>(path: string, isThere: (answer: Answer) => boolean): Promise<Answer> {
  return vi.waitFor(
    async () => {
      const response = await fetch(`${server.url}${path}`)
      const text = await response.text()
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`)
      const answer = JSON.parse(text) as Answer
      if (!isThere(answer)) throw new Error(`${path}: not there yet: ${text}`)
      return answer
    },
    { timeout: 15_000, interval: 50 },
  )
}

interface TraceAnswer {
  readonly traceId: string
  readonly resources: readonly unknown[]
  readonly scopes: readonly unknown[]
  readonly spans: readonly Record<string, unknown>[]
}

interface LogsAnswer {
  readonly resources: readonly unknown[]
  readonly scopes: readonly unknown[]
  readonly logs: readonly Record<string, unknown>[]
}

const resourceAnswer = (protocol: OtlpProtocol) => ({
  attributes: recordedAttributes(resourceOf(protocol).attributes),
  droppedAttributesCount: 0,
  schemaUrl: SCHEMA_URL,
})

const SCOPE_ANSWER = {
  name: 'sdk-test',
  version: '1.2.3',
  attributes: [],
  droppedAttributesCount: 0,
  schemaUrl: SCHEMA_URL,
}

describe.each(OTLP_PROTOCOLS)('the SDK exports by %s', (protocol) => {
  test('traces, and every field comes back', async () => {
    const spans = recordTrace(protocol)
    const [root] = spans as [ReadableSpan]
    // What is sent has what was meant to be sent.
    expect(Object.keys(root.attributes)).toEqual([...Object.keys(EVERY_KIND), 'one.more'])
    expect([root.droppedAttributesCount, root.droppedEventsCount, root.droppedLinksCount]).toEqual([2, 1, 1])
    expect(spans).toHaveLength(5)

    const exporters = sdkExporters(protocol, server)
    await exportWith(exporters.traces, spans)
    await exporters.shutdown()

    const { traceId } = root.spanContext()
    const answer = await ask<TraceAnswer>(
      `/api/traces/${traceId}`,
      (found) => found.spans.length === spans.length,
    )
    expect(answer.resources).toEqual([resourceAnswer(protocol)])
    expect(answer.scopes).toEqual([SCOPE_ANSWER])
    expect(answer.spans.map(({ mesh: _mesh, isError: _isError, ...span }) => span)).toEqual(
      spans.map((span) => ({ ...recordedSpan(span), service: `sdk-${protocol}`, resource: 0, scope: 0 })),
    )
    expect(answer.spans.map(({ isError }) => isError)).toEqual([false, true, false, false, false])

    // The façades say the same, in their forms.
    const { result } = await ask<{ result: { resourceSpans: [{ scopeSpans: [{ spans: unknown[] }] }] } }>(
      `/jaeger/api/v3/traces/${traceId}`,
      () => true,
    )
    expect(result.resourceSpans[0].scopeSpans[0].spans).toEqual(
      spans.map((span) => expect.objectContaining({ traceId, spanId: span.spanContext().spanId })),
    )
    const tempo = await fetch(`${server.url}/tempo/api/v2/traces/${traceId}`, {
      headers: { accept: 'application/protobuf' },
    })
    const message = decodeTraceMessage('TraceByIdResponse', new Uint8Array(await tempo.arrayBuffer()))
    expect(message['trace']).toEqual(withoutEmptyLists(result))
  })

  test('logs, and every field comes back', async () => {
    const memory = new InMemoryLogRecordExporter()
    const provider = new LoggerProvider({
      resource: resourceOf(protocol),
      processors: [new SimpleLogRecordProcessor({ exporter: memory })],
    })
    const logger = provider.getLogger('sdk-test', '1.2.3', { schemaUrl: SCHEMA_URL })
    const start = startTime()
    const traceId = crypto.randomUUID().replaceAll('-', '')
    const context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 })
    const bodies = [
      'plain text',
      { structured: { list: [1, 'two', null] } },
      42,
      true,
      0.5,
      new Uint8Array([1, 255]),
    ]
    bodies.forEach((body, index) => {
      logger.emit({
        context,
        timestamp: later(start, index),
        observedTimestamp: later(start, 1000 + index),
        severityNumber: SeverityNumber.WARN2,
        severityText: 'Warning',
        eventName: 'mesh.outlier.ejected',
        body,
        attributes: EVERY_KIND,
      })
    })
    const records = memory.getFinishedLogRecords()
    expect(records).toHaveLength(bodies.length)

    const exporters = sdkExporters(protocol, server)
    await exportWith(exporters.logs, records)
    await exporters.shutdown()

    const answer = await ask<LogsAnswer>(
      `/api/logs?traceId=${traceId}`,
      (found) => found.logs.length === records.length,
    )
    expect(answer.resources).toEqual([resourceAnswer(protocol)])
    expect(answer.scopes).toEqual([SCOPE_ANSWER])
    const shared = { service: `sdk-${protocol}`, resource: 0, scope: 0 }
    // Newest first.
    expect(answer.logs).toEqual(records.map((record) => ({ ...recordedLog(record), ...shared })).reverse())
  })

  test('metrics are acknowledged', async () => {
    const exporters = sdkExporters(protocol, server)
    const reader = new PeriodicExportingMetricReader({
      exporter: exporters.metrics,
      exportIntervalMillis: 3_600_000,
    })
    const provider = new MeterProvider({
      resource: resourceOf(protocol),
      readers: [reader],
      views: [
        {
          instrumentName: 'sdk.exponential',
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
        },
      ],
    })
    const meter = provider.getMeter('sdk-test', '1.2.3', { schemaUrl: SCHEMA_URL })
    const attributes = { text: 'a "b"', int: 7, yes: true, list: ['x', 'y'] }
    meter
      .createCounter('sdk.counter', { unit: 'By', description: 'Bytes sent', valueType: ValueType.INT })
      .add(12, attributes)
    meter.createUpDownCounter('sdk.updown', { valueType: ValueType.DOUBLE }).add(-2.5, attributes)
    meter.createGauge('sdk.gauge', { unit: '1' }).record(0.25, attributes)
    const histogram = meter.createHistogram('sdk.histogram', {
      unit: 'ms',
      advice: { explicitBucketBoundaries: [1, 10, 100] },
    })
    for (const value of [0.5, 5, 50, 500, 500]) histogram.record(value, attributes)
    const exponential = meter.createHistogram('sdk.exponential', { unit: 's' })
    for (const value of [0, 0.1, 0.2, 3]) exponential.record(value)

    const { resourceMetrics, errors } = await reader.collect()
    expect(errors).toEqual([])
    await exportWith(exporters.metrics, resourceMetrics)
    metricsSent.set(
      protocol,
      resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics),
    )
    await exporters.shutdown()
  })
})

describe('metrics', () => {
  let storage: Storage

  beforeAll(async () => {
    await vi.waitFor(
      async () => {
        const text = await (await fetch(`${server.url}/metrics`)).text()
        expect(text).toMatch(/^meshwatch_ingest_accepted_total\{[^}]*signal="metrics"[^}]*\} \d+$/m)
      },
      { timeout: 15_000, interval: 50 },
    )
    expect(await server.stop()).toBe(0)
    isStopped = true
    storage = await connectStorage({
      config: clickHouseConfig.parse({}),
      dataDir,
      limits: readLimits(queryConfig.parse({})),
      queryConcurrency: 1,
      clock: systemClock,
      logger: silentLogger(),
      registry: new Registry(),
    })
  }, 30_000)

  afterAll(() => storage?.close())

  test.each(OTLP_PROTOCOLS)(
    'by %s are stored as recorded, after the server has stopped',
    async (protocol) => {
      const sent = metricsSent.get(protocol) ?? []
      expect(sent.map(({ descriptor }) => descriptor.name)).toHaveLength(5)
      const stored = new Map(
        (await readMetrics(storage, `sdk-${protocol}`)).map((metric) => [metric.metric, metric]),
      )
      for (const metric of sent) {
        expect(stored.get(metric.descriptor.name), metric.descriptor.name).toEqual(recordedMetric(metric))
      }
      expect(stored.size).toBe(sent.length)
    },
  )
})
