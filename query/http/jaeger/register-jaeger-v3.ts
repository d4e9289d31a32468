import { STATUS_CODES } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../../../runtime/errors.ts'
import { toAppError } from '../../../runtime/http-error.ts'
import { logFailure } from '../../../runtime/http-server.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { encodeOtlpJson } from '../../traces/encode-otlp-json.ts'
import { listOperations } from '../../traces/list-operations.ts'
import { listServices } from '../../traces/list-services.ts'
import { readDependencies } from '../../traces/read-dependencies.ts'
import { readTrace } from '../../traces/read-trace.ts'
import { parseTraceId } from '../parse-trace-id.ts'
import type { QueryString } from '../query-values.ts'
import { readRfc3339 } from '../read-parameter.ts'
import { findSummaries, findTraces } from './find-traces.ts'
import { parseV3Search } from './parse-v3-search.ts'
import { operationsOf } from './register-jaeger-v1.ts'
import { toTraceSummary } from './to-trace-summary.ts'

const NAMES_LOOKBACK_MS = 7 * 86_400_000

/** Serves Jaeger's API v3 on a plugin of its own: OTLP JSON in gRPC gateway envelopes, errors in the gateway's form. */
export function registerJaegerV3(app: FastifyInstance, deps: QueryDeps): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown)
    logFailure(deps.logger, error, request)
    const details = {
      grpcCode: error.grpcStatus,
      httpCode: error.httpStatus,
      message: error.message,
      httpStatus: STATUS_CODES[error.httpStatus] ?? '',
    }
    return reply
      .code(error.httpStatus)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ error: details }))
  })

  app.setNotFoundHandler(async (request) => {
    throw new AppError(
      'NOT_FOUND',
      `Cannot ${request.method} ${request.url}: no such path in Jaeger's API v3 here`,
    )
  })

  app.get('/services', async (request) => {
    const services = await listServices(deps, { ...recently(deps), ...asker(request) })
    return { services: services.map(({ service }) => service) }
  })

  app.get<{ Querystring: QueryString }>('/operations', async (request) => {
    const { service, kind } = operationsOf(request.query)
    const operations = await listOperations(deps, { service, kind, ...recently(deps), ...asker(request) })
    return {
      operations: operations.flatMap(({ name, kinds }) =>
        // Jaeger calls a span without a kind internal.
        kinds.map((spanKind) => ({ name, spanKind: spanKind === 'unspecified' ? 'internal' : spanKind })),
      ),
    }
  })

  app.get<{ Params: { traceId: string } }>('/traces/:traceId', async (request) => {
    const traceId = parseTraceId(request.params.traceId)
    if (traceId === null) {
      throw new AppError('INVALID_ARGUMENT', 'malformed parameter trace_id: expected up to 32 hex digits')
    }
    const trace = await readTrace(deps, { traceId, ...asker(request) })
    if (trace === null) throw new AppError('NOT_FOUND', 'trace not found')
    return { result: encodeOtlpJson(trace.spans) }
  })

  app.get<{ Querystring: QueryString }>('/traces', async (request) => {
    const { traces } = await findTraces(
      deps,
      request.tenant,
      parseV3Search(request.query),
      request.abortSignal,
    )
    if (traces.length === 0) throw new AppError('NOT_FOUND', 'No traces found')
    return { result: { resourceSpans: traces.flatMap((trace) => encodeOtlpJson(trace.spans).resourceSpans) } }
  })

  app.get<{ Querystring: QueryString }>('/trace-summaries', async (request) => {
    const search = parseV3Search(request.query)
    const found = await findSummaries(deps, request.tenant, search, request.abortSignal)
    return { summaries: found.map(toTraceSummary) }
  })

  app.get<{ Querystring: QueryString }>('/dependencies', async (request) => {
    const startMs = required(readRfc3339(request.query, 'down', 'startTime', 'start_time'), 'startTime')
    const endMs = required(readRfc3339(request.query, 'up', 'endTime', 'end_time'), 'endTime')
    if (endMs <= startMs) {
      throw new AppError('INVALID_ARGUMENT', "Cannot read dependencies: 'endTime' is not after 'startTime'")
    }
    const dependencies = await readDependencies(deps, { startMs, endMs, ...asker(request) })
    return {
      dependencies: dependencies.map(({ parent, child, callCount }) => ({
        parent,
        child,
        // uint64 is a text in protobuf's JSON.
        callCount: String(callCount),
      })),
    }
  })

  /** What the server can do beyond the basics: nothing; the user interface then offers nothing more. */
  app.get('/capabilities', async () => ({ search: {} }))
}

function asker(request: { readonly tenant: string; readonly abortSignal: AbortSignal }): {
  readonly tenant: string
  readonly signal: AbortSignal
} {
  return { tenant: request.tenant, signal: request.abortSignal }
}

function recently(deps: QueryDeps): { readonly startMs: number; readonly endMs: number } {
  const endMs = deps.clock.now()
  return { startMs: endMs - NAMES_LOOKBACK_MS, endMs }
}

function required(value: number | null, name: string): number {
  if (value !== null) return value
  throw new AppError('INVALID_ARGUMENT', `Cannot read dependencies: parameter '${name}' is required`)
}
