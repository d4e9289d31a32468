import {
  type handleUnaryCall,
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { AppError } from '../../runtime/errors.ts'
import type { ExportResult, Signal } from '../export-sink.ts'
import { authorizeCall } from './authorize-call.ts'
import type { ByteLease } from './byte-budget.ts'
import { GRPC_SERVICES } from './grpc-services.ts'
import { exportResponse } from './otlp-response.ts'
import {
  cannotListen,
  hostAndPort,
  overloaded,
  type Receiver,
  type ReceiverOptions,
  statusOf,
} from './receiver.ts'
import { RenewableCredentials } from './renewable-credentials.ts'
import { statusWithDetails } from './status-with-details.ts'
import { watchCalls } from './watch-calls.ts'

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
  const secure = options.tls === null ? null : new RenewableCredentials(options.tls)
  let isClosing = false
  let isBound = false

  /** The tenant whose the message is. Throws AppError when it is not to reach the sink; the refusal is counted then. */
  const admit = (signal: Signal, call: ExportCall, lease: ByteLease): string => {
    try {
      const { tenant } = authorizeCall(options.access, call.metadata)
      if (isClosing) throw new AppError('SHUTTING_DOWN', 'Cannot take the message: shutting down')
      options.metrics.received('grpc', signal, call.request.length)
      if (!lease.take(call.request.length)) throw overloaded()
      return tenant
    } catch (error) {
      options.refusals.message(signal, error)
      throw error
    }
  }

  const take = async (signal: Signal, call: ExportCall): Promise<ExportResult> => {
    const lease = options.budget.lease()
    try {
      const tenant = admit(signal, call, lease)
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

  for (const [signal, service] of Object.entries(GRPC_SERVICES) as [Signal, string][]) {
    server.addService(definition(service), { export: handler(signal) } satisfies UntypedServiceImplementation)
  }

  return {
    async listen(host, port) {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      const credentials = secure ?? ServerCredentials.createInsecure()
      server.bindAsync(hostAndPort(host, port), credentials, (error, actual) => {
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
    renewTls(tls) {
      secure?.renew(tls)
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
    interceptors: [watchCalls(options)],
  }
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
