import {
  type handleUnaryCall,
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { AppError } from '../../runtime/errors.ts'
import type { ExportResult, Signal } from '../export-sink.ts'
import { exportResponse, type OtlpStatus, statusMessage } from './otlp-response.ts'
import {
  cannotListen,
  hostAndPort,
  overloaded,
  type Receiver,
  type ReceiverOptions,
  statusOf,
} from './receiver.ts'

/** The fully qualified services of OTLP; each has one method, `Export`. */
const SERVICES = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
} as const satisfies Record<Signal, string>

type ExportCall = Parameters<handleUnaryCall<Buffer, Buffer>>[0]

const identity = (bytes: Buffer): Buffer => bytes

/**
 * Makes the OTLP/gRPC receiver: the `Export` methods of TraceService, MetricsService and LogsService, gzip understood. Messages pass
 * as bytes: no protobuf library is on the way. A message above the limit, decompressed or not, ends with RESOURCE_EXHAUSTED
 * without RetryInfo, which tells OTLP clients not to try it again.
 */
export function createOtlpGrpc(options: ReceiverOptions): Receiver {
  // What goes wrong is thrown or counted here; the library's own words on standard error would only come on top.
  setLogVerbosity(logVerbosity.NONE)
  const server = new Server(serverOptions(options))
  let isClosing = false
  let isBound = false

  const take = async (signal: Signal, call: ExportCall): Promise<ExportResult> => {
    const { tenant } = authorize(options, call.metadata)
    if (isClosing) throw new AppError('SHUTTING_DOWN', 'Cannot take the message: shutting down')
    options.metrics.received('grpc', signal, call.request.length)
    const lease = options.budget.lease()
    try {
      if (!lease.take(call.request.length)) throw overloaded()
      return await options.sink.accept(signal, tenant, call.request)
    } finally {
      lease.release()
    }
  }

  const handler = (signal: Signal): handleUnaryCall<Buffer, Buffer> => {
    return (call, callback) => {
      const startedAt = options.clock.monotonic()
      options.metrics.inFlight(1)
      const end = (code: number): void => {
        options.metrics.inFlight(-1)
        options.metrics.observe('grpc', signal, code, options.clock.monotonic() - startedAt)
      }
      take(signal, call).then(
        (result) => {
          end(0)
          callback(null, exportResponse(result))
        },
        (error: unknown) => {
          const status = statusOf(error)
          end(status.code)
          if (!(error instanceof AppError)) options.logger.error({ event: 'otlp.failed', signal, err: error })
          else options.logger.debug({ event: 'otlp.refused', signal, code: error.code }, error.message)
          callback(statusWithDetails(status))
        },
      )
    }
  }

  for (const [signal, service] of Object.entries(SERVICES) as [Signal, string][]) {
    server.addService(definition(service), { export: handler(signal) } satisfies UntypedServiceImplementation)
  }

  return {
    async listen(host, port) {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      server.bindAsync(hostAndPort(host, port), credentials(options), (error, actual) => {
        if (error === null) resolve(actual)
        else reject(error)
      })
      try {
        const actual = await promise
        isBound = true
        return hostAndPort(host, actual)
      } catch (error) {
        throw cannotListen('OTLP/gRPC', host, port, error)
      }
    },
    async close(graceMs) {
      isClosing = true
      if (!isBound) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(() => server.forceShutdown(), graceMs)
      server.tryShutdown(() => resolve())
      await promise
      clearTimeout(timer)
    },
  }
}

function serverOptions(options: ReceiverOptions): ServerOptions {
  return {
    'grpc.max_receive_message_length': options.maxMessageBytes,
    // Exporters use one or two calls at a time; this bounds what one connection can make us hold.
    'grpc.max_concurrent_streams': 100,
    // Finds connections whose other side is gone without a word.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    interceptors: options.access.isEnforced ? [refuseStrangers(options)] : [],
  }
}

function credentials({ tls }: ReceiverOptions): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure()
  return ServerCredentials.createSsl(
    tls.ca ?? null,
    [{ private_key: tls.key, cert_chain: tls.cert }],
    tls.requestCert,
  )
}

function definition(service: string): ServiceDefinition {
  return {
    export: {
      path: `/${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  }
}

/** Looks at the token when the head of a call has come: nobody unknown gets to send a body. */
function refuseStrangers(options: ReceiverOptions): ServerInterceptor {
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, proceed) {
            try {
              authorize(options, metadata)
            } catch (error) {
              const status = statusOf(error)
              const signal = signalOf(method.path)
              if (signal !== undefined) options.metrics.observe('grpc', signal, status.code, 0)
              call.sendStatus(statusWithDetails(status))
              return
            }
            proceed(metadata)
          },
        })
      },
    })
}

function signalOf(path: string): Signal | undefined {
  return (Object.keys(SERVICES) as Signal[]).find((signal) => path.startsWith(`/${SERVICES[signal]}/`))
}

function authorize({ access }: ReceiverOptions, metadata: Metadata): { readonly tenant: string } {
  return access.authorize(
    { authorization: header(metadata, 'authorization'), 'x-scope-orgid': header(metadata, 'x-scope-orgid') },
    'ingest',
  )
}

function statusWithDetails(status: OtlpStatus): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', statusMessage(status))
  return { code: status.code, details: status.message, metadata }
}

function header(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0]
  return typeof value === 'string' ? value : undefined
}
