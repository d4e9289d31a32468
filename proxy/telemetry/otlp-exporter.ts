import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { encodeEvents, encodeMetrics, encodeSpans, type OtlpOrigin } from './encode-otlp.ts'
import type { MetricCell, MetricRegistry } from './metric-registry.ts'
import type { EventRecord, SpanRecord } from './telemetry-record.ts'

/** Where telemetry goes and how often. */
export interface OtlpExporterOptions {
  /** Base URL of an OTLP/HTTP receiver, `http://127.0.0.1:4318`; null: nothing is sent and nothing is kept. */
  readonly endpoint: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Of metrics; spans and events leave every second. */
  readonly metricIntervalMs: number
  readonly origin: OtlpOrigin
  readonly registry: MetricRegistry
  readonly clock: Clock
  readonly logger: Logger
}

/** Sends what it is given; never waits, never throws, and forgets what its bounded queues cannot hold. */
export interface OtlpExporter {
  readonly span: (span: SpanRecord) => void
  readonly event: (event: EventRecord) => void
  /** Sends everything that is waiting, and the metrics; gives up on what fails. */
  flush(): Promise<void>
  /** Flushes within two seconds and stops. */
  close(): Promise<void>
}

const MAX_SPANS = 8192
const MAX_EVENTS = 1024
const SPANS_PER_REQUEST = 2048
const FLUSH_INTERVAL_MS = 1000
const REQUEST_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 2000
const MAX_BACKOFF_MS = 30_000
/** The statuses after which OTLP/HTTP lets the same request be sent again. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504])

interface Queue<Item> {
  items: Item[]
  readonly limit: number
  readonly dropped: MetricCell
}

/**
 * Starts to export. A failing receiver is asked again after 1 s, 2 s … 30 s; meanwhile queues fill up to {@link MAX_SPANS} spans and
 * {@link MAX_EVENTS} events and what comes then is dropped, counted by `mesh.proxy.telemetry.dropped` and told in the log.
 */
export function createOtlpExporter(options: OtlpExporterOptions): OtlpExporter {
  const { endpoint, registry, clock, logger, origin } = options
  const family = registry.counter(
    'mesh.proxy.telemetry.dropped',
    'Spans and events that were not sent, because the receiver was away or refused them',
    { textName: 'mesh_proxy_telemetry_dropped_total' },
  )
  const dropped = { traces: family.cell({ signal: 'traces' }), logs: family.cell({ signal: 'logs' }) }
  if (endpoint === null) {
    const nothing = async () => {}
    return { span: () => {}, event: () => {}, flush: nothing, close: nothing }
  }
  const startMs = clock.now()
  const url = new URL(endpoint)
  const path = url.pathname.replace(/\/$/, '')
  const pool = new Pool(url.origin, { connections: 3, connect: { timeout: REQUEST_TIMEOUT_MS } })
  const spans: Queue<SpanRecord> = { items: [], limit: MAX_SPANS, dropped: dropped.traces }
  const events: Queue<EventRecord> = { items: [], limit: MAX_EVENTS, dropped: dropped.logs }
  const closing = new AbortController()
  let failures = 0
  let quietUntil = 0
  let nextMetrics = clock.monotonic() + options.metricIntervalMs
  let lastLost = 0
  let previousMs = startMs
  const told = new WeakSet<object>()
  let sending = Promise.resolve()
  let waiting = 0

  function add<Item>(queue: Queue<Item>, item: Item): void {
    if (queue.items.length >= queue.limit) queue.dropped.value += 1
    else queue.items.push(item)
  }

  async function post(signal: string, message: Uint8Array): Promise<'sent' | 'later' | 'refused'> {
    try {
      const response = await pool.request({
        method: 'POST',
        path: `${path}/v1/${signal}`,
        headers: { 'content-type': 'application/x-protobuf', ...options.headers },
        body: message,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: REQUEST_TIMEOUT_MS,
        signal: closing.signal,
      })
      await response.body.dump()
      if (response.statusCode < 300) return succeeded()
      return failed(signal, `status ${response.statusCode}`, RETRYABLE_STATUSES.has(response.statusCode))
    } catch (error) {
      return failed(signal, errorMessage(error), true)
    }
  }

  function succeeded(): 'sent' {
    if (failures > 0) logger.info({ event: 'telemetry-resumed', dropped: lost() }, 'telemetry is taken again')
    failures = 0
    return 'sent'
  }

  function failed(signal: string, reason: string, isRetryable: boolean): 'later' | 'refused' {
    failures += 1
    // Said once, then at every power of two, so that a night without receiver does not fill the log.
    if ((failures & (failures - 1)) === 0 || lost() > lastLost * 2) {
      lastLost = lost()
      logger.warn({ event: 'telemetry-failed', signal, reason, failures, dropped: lost() })
    }
    if (isRetryable) {
      quietUntil = clock.monotonic() + Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.min(failures - 1, 5))
    }
    return isRetryable ? 'later' : 'refused'
  }

  const lost = () => dropped.traces.value + dropped.logs.value

  async function drain<Item>(
    queue: Queue<Item>,
    signal: string,
    encode: (origin: OtlpOrigin, items: readonly Item[]) => Uint8Array,
  ): Promise<boolean> {
    while (queue.items.length > 0) {
      const batch = queue.items.slice(0, SPANS_PER_REQUEST)
      const outcome = await post(signal, encode(origin, batch))
      if (outcome === 'later') return false
      if (outcome === 'refused') queue.dropped.value += batch.length
      queue.items = queue.items.slice(batch.length)
    }
    return true
  }

  async function sendAll(withMetrics: boolean): Promise<void> {
    if (!(await drain(events, 'logs', encodeEvents))) return
    if (!(await drain(spans, 'traces', encodeSpans))) return
    if (withMetrics) await sendMetrics()
  }

  async function sendMetrics(): Promise<void> {
    const families = registry.collect()
    const nowMs = clock.now()
    const isNew = (cell: object): boolean => !told.has(cell)
    const message = encodeMetrics(origin, families, { startMs, nowMs, previousMs, isNew })
    const cells = families.flatMap(({ family }) => [...family.cells()])
    if ((await post('metrics', message)) !== 'sent') return
    for (const cell of cells) told.add(cell)
    previousMs = nowMs
  }

  /** One after the other, so that a batch is never sent twice. */
  function send(withMetrics: boolean): Promise<void> {
    waiting += 1
    sending = sending
      .then(() => sendAll(withMetrics))
      .finally(() => {
        waiting -= 1
      })
    return sending
  }

  const tick = async (): Promise<void> => {
    const now = clock.monotonic()
    if (now < quietUntil || waiting > 0) return
    const isMetricsTime = now >= nextMetrics
    // A missed slot is not made up for: cumulative values lose nothing.
    if (isMetricsTime) nextMetrics = Math.max(nextMetrics + options.metricIntervalMs, now)
    await send(isMetricsTime)
  }
  const timer = setInterval(() => void tick(), Math.min(FLUSH_INTERVAL_MS, options.metricIntervalMs))
  timer.unref()

  return {
    span: (span) => add(spans, span),
    event: (event) => add(events, event),
    flush: () => send(true),
    async close() {
      clearInterval(timer)
      const timeout = new AbortController()
      const limit = delay(CLOSE_TIMEOUT_MS, undefined, { signal: timeout.signal }).catch(() => {})
      await Promise.race([send(true), limit])
      timeout.abort()
      closing.abort()
      await pool.destroy()
    },
  }
}
