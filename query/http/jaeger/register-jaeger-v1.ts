import type { FastifyInstance } from 'fastify'
import { SPAN_KINDS } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import { toAppError } from '../../../runtime/http-error.ts'
import { logFailure } from '../../../runtime/http-server.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { listOperations } from '../../traces/list-operations.ts'
import { listServices } from '../../traces/list-services.ts'
import { readDependencies } from '../../traces/read-dependencies.ts'
import { readTrace } from '../../traces/read-trace.ts'
import { parseTraceId } from '../parse-trace-id.ts'
import { firstValue, type QueryString } from '../query-values.ts'
import { readEpoch, readWhole } from '../read-parameter.ts'
import { findTraces } from './find-traces.ts'
import { type JaegerAnswer, type JaegerError, type JaegerTrace, jaegerAnswer } from './jaeger-model.ts'
import { parseSearch, parseTraceIds } from './parse-search.ts'
import { toJaegerTrace } from './to-jaeger-trace.ts'

/** Jaeger's lists of names have no range: what was seen in the last week. */
const NAMES_LOOKBACK_MS = 7 * 86_400_000
const DEFAULT_DEPENDENCIES_LOOKBACK_MS = 86_400_000

/** Serves Jaeger's older JSON API on a plugin of its own, relative to its prefix, with Jaeger's envelope and error form. */
export function registerJaegerV1(app: FastifyInstance, deps: QueryDeps): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown)
    logFailure(deps.logger, error, request)
    const failed = jaegerAnswer(null, 0, [{ code: error.httpStatus, msg: error.message }])
    return reply.code(error.httpStatus).type('application/json; charset=utf-8').send(JSON.stringify(failed))
  })

  app.setNotFoundHandler(async (request) => {
    throw new AppError(
      'NOT_FOUND',
      `Cannot ${request.method} ${request.url}: no such path in Jaeger's API here`,
    )
  })

  app.get('/services', async (request) => {
    const services = await listServices(deps, { ...recently(deps), ...asker(request) })
    const names = services.map(({ service }) => service)
    return jaegerAnswer(names, names.length)
  })

  app.get<{ Params: { service: string } }>('/services/:service/operations', async (request) => {
    const { service } = request.params
    const operations = await listOperations(deps, { service, ...recently(deps), ...asker(request) })
    const names = operations.map(({ name }) => name)
    return jaegerAnswer(names, names.length)
  })

  app.get<{ Querystring: QueryString }>('/operations', async (request) => {
    const { service, kind } = operationsOf(request.query)
    const operations = await listOperations(deps, { service, kind, ...recently(deps), ...asker(request) })
    const pairs = operations.flatMap(({ name, kinds }) =>
      kinds.map((spanKind) => ({ name, spanKind: spanKind === 'unspecified' ? '' : spanKind })),
    )
    return jaegerAnswer(pairs, pairs.length)
  })

  app.get<{ Querystring: QueryString }>('/traces', async (request) => {
    const ids = parseTraceIds(request.query)
    if (ids.length > 0) return tracesById(deps, [...new Set(ids)], asker(request))
    const search = parseSearch(request.query, deps.clock.now())
    const { traces, leftOut } = await findTraces(deps, request.tenant, search, request.abortSignal)
    const note = `${leftOut} more traces were found; they are left out because the answer would have too many spans`
    return jaegerAnswer(traces.map(toJaegerTrace), 0, leftOut === 0 ? null : [{ msg: note }])
  })

  app.get<{ Params: { traceId: string } }>('/traces/:traceId', async (request) => {
    const traceId = parseTraceId(request.params.traceId)
    if (traceId === null) {
      throw new AppError(
        'INVALID_ARGUMENT',
        'Cannot read the trace: the id is not made of up to 32 hex digits',
      )
    }
    const trace = await readTrace(deps, { traceId, ...asker(request) })
    if (trace === null) throw new AppError('NOT_FOUND', 'trace not found')
    return jaegerAnswer([toJaegerTrace(trace)])
  })

  app.get<{ Querystring: QueryString }>('/dependencies', async (request) => {
    const endMs = readEpoch(request.query, 'milliseconds', 'endTs') ?? deps.clock.now()
    const lookbackMs = readWhole(request.query, 0, 'lookback') ?? DEFAULT_DEPENDENCIES_LOOKBACK_MS
    const service = firstValue(request.query, 'service')
    const dependencies = await readDependencies(deps, {
      startMs: endMs - lookbackMs,
      endMs,
      ...asker(request),
    })
    return jaegerAnswer(
      dependencies
        .filter(({ parent, child }) => service === null || service === parent || service === child)
        .map(({ parent, child, callCount }) => ({ parent, child, callCount })),
    )
  })
}

interface Asker {
  readonly tenant: string
  readonly signal: AbortSignal
}

function asker(request: { readonly tenant: string; readonly abortSignal: AbortSignal }): Asker {
  return { tenant: request.tenant, signal: request.abortSignal }
}

function recently(deps: QueryDeps): { readonly startMs: number; readonly endMs: number } {
  const endMs = deps.clock.now()
  return { startMs: endMs - NAMES_LOOKBACK_MS, endMs }
}

/** Reads `service` (required) and `spanKind` of a list of operations. Throws AppError INVALID_ARGUMENT. */
export function operationsOf(query: QueryString): {
  readonly service: string
  readonly kind: (typeof SPAN_KINDS)[number] | undefined
} {
  const service = firstValue(query, 'service')
  if (service === null) {
    throw new AppError('INVALID_ARGUMENT', "Cannot list operations: parameter 'service' is required")
  }
  const asked = firstValue(query, 'spanKind', 'span_kind')
  const kind = SPAN_KINDS.find((name) => name === asked?.toLowerCase())
  if (asked !== null && kind === undefined) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot read the parameter 'spanKind': expected one of ${SPAN_KINDS.join(', ')}, found '${asked.slice(0, 100)}'`,
    )
  }
  return { service, kind }
}

async function tracesById(
  deps: QueryDeps,
  ids: readonly string[],
  asked: Asker,
): Promise<JaegerAnswer<JaegerTrace[]>> {
  const traces: JaegerTrace[] = []
  const errors: JaegerError[] = []
  let spans = 0
  for (const traceId of ids) {
    const maxSpans = deps.limits.maxSpans - spans
    if (maxSpans <= 0) {
      errors.push({ msg: 'left out: the answer would have too many spans', traceID: traceId })
      continue
    }
    const trace = await readTrace(deps, { traceId, maxSpans, ...asked })
    if (trace === null) errors.push({ msg: 'trace not found', traceID: traceId })
    else traces.push(toJaegerTrace(trace))
    spans += trace?.spans.length ?? 0
  }
  return jaegerAnswer(traces, 0, errors.length === 0 ? null : errors)
}
