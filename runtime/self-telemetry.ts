import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api'
import type { Registry } from 'prom-client'
import type { Clock } from './clock.ts'
import type { TelemetryConfig } from './config.ts'
import { errorMessage } from './errors.ts'
import type { Logger } from './logger.ts'
import { OWN_SCOPE } from './request-tracing.ts'

/** What self-telemetry is made from. */
export interface SelfTelemetryOptions {
  readonly config: TelemetryConfig
  readonly version: string
  readonly clock: Clock
  /** All our metrics, now: those of other threads included. */
  readonly collect: () => Promise<Registry>
  readonly logger: Logger
}

/** Our own telemetry, running or off. */
export interface SelfTelemetry {
  /** Sends what is left, for five seconds at most. Never throws. */
  stop(): Promise<void>
}

const EXPORT_TIMEOUT_MS = 5000

/**
 * Sends our own traces and metrics to `config.endpoint`; does nothing (and loads nothing) without one.
 *
 * Nothing is said about the sending itself: no instrumentation is loaded that would see the exporter's requests, the OTLP
 * receivers make no spans, and only selects of traced API requests are traced. So the endpoint may be this very server.
 */
export async function startSelfTelemetry(options: SelfTelemetryOptions): Promise<SelfTelemetry> {
  const { config, logger, clock } = options
  if (config.endpoint === null) return { stop: async () => undefined }
  const [{ NodeSDK }, tracing, metrics, { resourceFromAttributes }, traceExport, metricsExport, bridge] =
    await Promise.all([
      import('@opentelemetry/sdk-node'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/sdk-metrics'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/exporter-metrics-otlp-proto'),
      import('./otlp-metric-data.ts'),
    ])
  const startMs = clock.now()
  const resource = resourceFromAttributes({
    'service.name': config.serviceName,
    'service.version': options.version,
    'service.instance.id': crypto.randomUUID(),
  })
  const exporter = (signal: string) => ({
    url: `${config.endpoint}/v1/${signal}`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
    headers: config.token === null ? {} : { authorization: `Bearer ${config.token.reveal()}` },
  })
  diag.setLogger(diagLogger(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    instrumentations: [],
    logRecordProcessors: [],
    sampler: new tracing.ParentBasedSampler({
      root: new tracing.TraceIdRatioBasedSampler(config.traceRatio),
    }),
    spanProcessors: [
      new tracing.BatchSpanProcessor({
        exporter: new traceExport.OTLPTraceExporter(exporter('traces')),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
    metricReaders: [
      new metrics.PeriodicExportingMetricReader({
        exporter: new metricsExport.OTLPMetricExporter(exporter('metrics')),
        exportIntervalMillis: config.metricsInterval,
        exportTimeoutMillis: Math.min(EXPORT_TIMEOUT_MS, config.metricsInterval),
        metricProducers: [
          {
            collect: async () => {
              const times = { startMs, nowMs: clock.now() }
              const data = await bridge.otlpMetricData(await options.collect(), times)
              const scope = { name: OWN_SCOPE, version: options.version }
              return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics: data }] }, errors: [] }
            },
          },
        ],
      }),
    ],
  })
  sdk.start()
  return { stop: () => stopWithin(sdk, EXPORT_TIMEOUT_MS, logger) }
}

async function stopWithin(
  sdk: { shutdown(): Promise<void> },
  timeoutMs: number,
  logger: Logger,
): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  try {
    await Promise.race([sdk.shutdown(), late])
  } catch (error) {
    logger.warn({ event: 'telemetry-not-sent', reason: errorMessage(error) })
  } finally {
    clearTimeout(timer)
  }
}

function diagLogger(logger: Logger): DiagLogger {
  const say = (level: 'error' | 'warn' | 'debug') => (message: string) =>
    logger[level]({ event: 'telemetry' }, message.slice(0, 500))
  return {
    error: say('error'),
    warn: say('warn'),
    info: say('debug'),
    debug: say('debug'),
    verbose: say('debug'),
  }
}
