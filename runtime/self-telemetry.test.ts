import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { telemetryConfig } from './config.ts'
import { createHttpServer } from './http-server.ts'
import { silentLogger } from './logger.ts'
import { otlpMetricData } from './otlp-metric-data.ts'
import { startSelfTelemetry } from './self-telemetry.ts'
import { createTokenAccess } from './token-file.ts'

describe('metrics of the registry as OpenTelemetry metrics', () => {
  test('keep names, labels and values; buckets count each value once', async () => {
    const registry = new Registry()
    new Counter({ name: 'c_total', help: 'C', labelNames: ['a'], registers: [registry] }).inc({ a: 'x' }, 3)
    new Gauge({ name: 'g', help: 'G', registers: [registry] }).set(-1.5)
    const histogram = new Histogram({ name: 'h', help: 'H', buckets: [1, 2], registers: [registry] })
    for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value)
    const data = await otlpMetricData(registry, { startMs: 1_000, nowMs: 2_500 })
    expect(data.map((metric) => [metric.descriptor.name, metric.dataPoints])).toEqual([
      ['c_total', [{ startTime: [1, 0], endTime: [2, 5e8], attributes: { a: 'x' }, value: 3 }]],
      ['g', [expect.objectContaining({ attributes: {}, value: -1.5 })]],
      [
        'h',
        [
          expect.objectContaining({
            value: { buckets: { boundaries: [1, 2], counts: [2, 1, 1] }, sum: 12, count: 4 },
          }),
        ],
      ],
    ])
  })
})

describe('self-telemetry', () => {
  let collector: Server
  let endpoint: string
  const received: { url: string; body: Buffer; authorization: string | undefined }[] = []

  beforeEach(async () => {
    received.length = 0
    collector = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { authorization } = request.headers
        received.push({ url: request.url ?? '', body: Buffer.concat(chunks), authorization })
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  })

  afterEach(() => {
    collector.close()
    // The SDK registers itself globally; another test must not find it.
    for (const api of [context, metrics, propagation, trace]) api.disable()
  })

  async function askOnce(config: object): Promise<void> {
    const registry = new Registry()
    const telemetry = await startSelfTelemetry({
      config: telemetryConfig.parse(config),
      version: '1.2.3',
      clock: systemClock,
      collect: async () => registry,
      logger: silentLogger(),
    })
    const app = createHttpServer({
      access: createTokenAccess({ tokensFile: null }),
      tls: null,
      clock: systemClock,
      logger: silentLogger(),
      registry,
    })
    app.get('/api/things/:id', async () => {
      trace.getTracer('t').startSpan('inside').end()
      return {}
    })
    app.get('/healthz', async () => ({}))
    await app.inject({
      url: '/api/things/7',
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    })
    await app.inject('/healthz')
    await app.close()
    await telemetry.stop()
  }

  test('is off without an endpoint', async () => {
    await askOnce({})
    expect(received).toEqual([])
  })

  test('sends a span per API request, in the trace of the caller, and our metrics', async () => {
    await askOnce({ endpoint, token: 'secret-token' })
    const traces = received.filter(({ url }) => url === '/v1/traces')
    expect(traces).toHaveLength(1)
    expect(traces[0]?.authorization).toBe('Bearer secret-token')
    const body = traces[0]?.body ?? Buffer.alloc(0)
    expect(body.includes('GET /api/things/:id')).toBe(true)
    expect(body.includes('inside')).toBe(true)
    expect(count(body, Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex'))).toBe(2)
    // Nothing about health checks, nothing about the export itself.
    expect(body.includes('healthz')).toBe(false)
    expect(body.includes('/v1/')).toBe(false)
    const sent = received.filter(({ url }) => url === '/v1/metrics')
    expect(sent.at(-1)?.body.includes('meshwatch_http_request_duration_seconds')).toBe(true)
  })

  test('an endpoint that is away costs nothing but the data', async () => {
    await expect(askOnce({ endpoint: 'http://127.0.0.1:1' })).resolves.toBeUndefined()
  })
})

function count(body: Buffer, part: Buffer): number {
  let found = 0
  for (let at = body.indexOf(part); at >= 0; at = body.indexOf(part, at + 1)) found++
  return found
}
