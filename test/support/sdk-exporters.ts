import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufLogs } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufMetrics } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufTraces } from '@opentelemetry/exporter-trace-otlp-proto'
import type { LogRecordExporter } from '@opentelemetry/sdk-logs'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { SpanExporter } from '@opentelemetry/sdk-trace'

/** OpenTelemetry's names of the three ways to send OTLP. */
export const OTLP_PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const

/** One of {@link OTLP_PROTOCOLS}. */
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number]

/** The SDK's exporters of one protocol. */
export interface SdkExporters {
  readonly traces: SpanExporter
  readonly logs: LogRecordExporter
  readonly metrics: PushMetricExporter
  shutdown(): Promise<void>
}

const BY_PROTOCOL = {
  grpc: { traces: GrpcTraces, logs: GrpcLogs, metrics: GrpcMetrics },
  'http/protobuf': { traces: ProtobufTraces, logs: ProtobufLogs, metrics: ProtobufMetrics },
  'http/json': { traces: JsonTraces, logs: JsonLogs, metrics: JsonMetrics },
} as const

/** Makes the SDK's own exporters for a server. */
export function sdkExporters(
  protocol: OtlpProtocol,
  server: { readonly otlpHttpUrl: string; readonly otlpGrpcAddress: string },
): SdkExporters {
  const classes = BY_PROTOCOL[protocol]
  const urlOf = (signal: string) =>
    protocol === 'grpc' ? `http://${server.otlpGrpcAddress}` : `${server.otlpHttpUrl}/v1/${signal}`
  const traces = new classes.traces({ url: urlOf('traces') })
  const logs = new classes.logs({ url: urlOf('logs') })
  const metrics = new classes.metrics({ url: urlOf('metrics') })
  return {
    traces,
    logs,
    metrics,
    shutdown: async () => {
      await Promise.all([traces.shutdown(), logs.shutdown(), metrics.shutdown()])
    },
  }
}

/** Sends with an exporter and resolves when the server has acknowledged; rejects with the exporter's error. */
export function exportWith<Batch>(
  exporter: { export(batch: Batch, done: (result: { code: number; error?: Error }) => void): void },
  batch: Batch,
): Promise<void> {
  return new Promise((resolve, reject) => {
    exporter.export(batch, ({ code, error }) => {
      if (code === 0) resolve()
      else reject(error ?? new Error('The exporter failed and does not say why'))
    })
  })
}
