import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { Signal } from '../../ingest/export-sink.ts'

/** Sends bytes as OTLP/gRPC export requests, whatever they are. */
export interface RawGrpcClient {
  /** Resolves with the gRPC status code and message. `isCompressed`: with gzip. */
  export(
    signal: Signal,
    bytes: Buffer,
    isCompressed?: boolean,
  ): Promise<{ readonly code: number; readonly message: string }>
  close(): void
}

const SERVICES = {
  traces: 'trace.v1.TraceService',
  metrics: 'metrics.v1.MetricsService',
  logs: 'logs.v1.LogsService',
}

/** Connects to `address` (`127.0.0.1:port`). */
export function connectRawGrpc(address: string): RawGrpcClient {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
  })
  // 2 is gzip.
  const compressing = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.default_compression_algorithm': 2,
    'grpc.use_local_subchannel_pool': 1,
  })
  const identity = (bytes: Buffer): Buffer => bytes
  return {
    export: (signal, bytes, isCompressed = false) =>
      new Promise((resolve) => {
        const done = (error: ServiceError | null) =>
          resolve({ code: error?.code ?? 0, message: error?.details ?? '' })
        const method = `/opentelemetry.proto.collector.${SERVICES[signal]}/Export`
        const deadline = { deadline: Date.now() + 60_000 }
        const chosen = isCompressed ? compressing : client
        chosen.makeUnaryRequest(method, identity, identity, bytes, new Metadata(), deadline, done)
      }),
    close: () => {
      client.close()
      compressing.close()
    },
  }
}

/** Posts bytes to an OTLP/HTTP receiver; resolves with the status and the body's text. */
export async function postRaw(
  url: string,
  signal: Signal,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/x-protobuf' },
): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(`${url}/v1/${signal}`, { method: 'POST', body: Buffer.from(bytes), headers })
  return { status: answer.status, body: await answer.text() }
}
