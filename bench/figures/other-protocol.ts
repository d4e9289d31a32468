import type { BenchOptions } from '../bench-options.ts'
import { count, type Figure } from '../figure.ts'
import { measureLoad } from '../measure-load.ts'

/** OTLP/gRPC: as fast as it is taken, then at a steady rate. */
export function measureGrpc(options: BenchOptions): Promise<readonly Figure[]> {
  return measureProtocol(options, 'grpc', 'OTLP/gRPC')
}

/** OTLP/HTTP JSON: as fast as it is taken, then at a steady rate. */
export function measureJson(options: BenchOptions): Promise<readonly Figure[]> {
  return measureProtocol(options, 'json', 'OTLP/HTTP JSON')
}

async function measureProtocol(
  options: BenchOptions,
  protocol: 'grpc' | 'json',
  label: string,
): Promise<readonly Figure[]> {
  const seconds = options.seconds ?? 20
  const burst = await measureLoad(options, { protocol, seconds: Math.min(10, seconds), spansPerSecond: null })
  const taken = burst.load.accepted / burst.load.seconds
  // Half of what is taken at most leaves room for loading, which goes on beside it.
  const rate = options.rate ?? Math.min(150_000, Math.floor(taken / 2))
  const steady = await measureLoad(options, { protocol, seconds, spansPerSecond: rate })
  return [
    {
      what: `${label}, burst of ${Math.min(10, seconds)} s (${burst.load.bytesPerSpan} B a span)`,
      value: `${count(taken)} spans/s, ${burst.load.refused} refused`,
      beside: `acknowledgement ${burst.ack}`,
    },
    {
      what: `${label}, ${seconds} s at ${count(rate)} spans/s`,
      value: `${count(steady.load.accepted / steady.load.seconds)} spans/s, ${steady.load.refused} refused, acknowledgement ${steady.ack}`,
      beside: `queryable ${steady.caughtUp} after the end; server ${steady.serverCpuSeconds.toFixed(1)} s of CPU, generator ${steady.load.cpuSeconds.toFixed(1)} s`,
    },
  ]
}
