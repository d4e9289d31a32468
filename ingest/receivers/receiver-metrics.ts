import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Signal } from '../export-sink.ts'
import type { ByteBudget } from './byte-budget.ts'

/** How a request came in. */
export type OtlpProtocol = 'http/protobuf' | 'http/json' | 'grpc' | 'remote-write'

/** What the receivers tell about themselves. */
export interface ReceiverMetrics {
  /** One request is over. `code`: HTTP status or gRPC status number. */
  observe(protocol: OtlpProtocol, signal: Signal, code: number, durationMs: number): void
  /** Bytes of a body as received: compressed over HTTP, decompressed over gRPC. */
  received(protocol: OtlpProtocol, signal: Signal, bytes: number): void
  /** A request begins (+1) or ends (-1). */
  inFlight(change: 1 | -1): void
}

/** Registers the receivers' metrics; once per registry. */
export function createReceiverMetrics(registry: Registry, budget: ByteBudget): ReceiverMetrics {
  const duration = new Histogram({
    name: 'meshwatch_otlp_request_duration_seconds',
    help: 'Time from the head of an export request to its answer',
    labelNames: ['protocol', 'signal', 'code'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  const bytes = new Counter({
    name: 'meshwatch_otlp_received_bytes_total',
    help: 'Bytes of export requests (over HTTP as they came, over gRPC decompressed)',
    labelNames: ['protocol', 'signal'] as const,
    registers: [registry],
  })
  const requests = new Gauge({
    name: 'meshwatch_otlp_in_flight_requests',
    help: 'Export requests being handled',
    registers: [registry],
  })
  new Gauge({
    name: 'meshwatch_otlp_in_flight_bytes',
    help: 'Bytes held by export requests being handled',
    registers: [registry],
    collect() {
      this.set(budget.used)
    },
  })
  return {
    observe: (protocol, signal, code, durationMs) =>
      duration.observe({ protocol, signal, code }, durationMs / 1000),
    received: (protocol, signal, size) => bytes.inc({ protocol, signal }, size),
    inFlight: (change) => requests.inc(change),
  }
}
