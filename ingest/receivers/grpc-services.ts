import type { Signal } from '../export-sink.ts'

/** The fully qualified services of OTLP; each has one method, `Export`. */
export const GRPC_SERVICES = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
} as const satisfies Record<Signal, string>

/** The signal that a method's path is about; undefined for a method that is none of ours. */
export function signalOfMethod(path: string): Signal | undefined {
  return (Object.keys(GRPC_SERVICES) as Signal[]).find((signal) =>
    path.startsWith(`/${GRPC_SERVICES[signal]}/`),
  )
}
