import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../../runtime/errors.ts'
import { toAppError } from '../../../runtime/http-error.ts'
import { logFailure } from '../../../runtime/http-server.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { readTrace } from '../../traces/read-trace.ts'
import { searchTraces } from '../../traces/search-traces.ts'
import { parseTraceId } from '../parse-trace-id.ts'
import { firstValue, type QueryString } from '../query-values.ts'
import { tempoTraceV1, tempoTraceV2 } from './encode-tempo-trace.ts'
import { parseTempoRange, parseTempoSearch } from './parse-tempo-search.ts'
import { parseTraceql } from './parse-traceql.ts'
import { listTagScopes, listTagValues, type TagRange } from './tempo-tags.ts'
import { toSearchMetadata } from './to-search-metadata.ts'

/** Grafana asks for it to know which of Tempo's APIs it may use. */
const API_OF_VERSION = '2.8.0'
const TAGS_LOOKBACK_MS = 86_400_000

type TempoRequest<Params = unknown> = FastifyRequest<{ Params: Params; Querystring: QueryString }>

/**
 * Serves Tempo's query API under `/tempo/api`: what Grafana's data source speaks. Errors are plain text, as Tempo's are.
 */
export function registerTempoApi(app: FastifyInstance, deps: QueryDeps): void {
  app.register(async (tempo) => registerRoutes(tempo, deps), { prefix: '/tempo/api' })
}

function registerRoutes(app: FastifyInstance, deps: QueryDeps): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown)
    logFailure(deps.logger, error, request)
    return reply.code(error.httpStatus).type('text/plain; charset=utf-8').send(error.message)
  })

  app.setNotFoundHandler(async (request) => {
    throw new AppError(
      'NOT_FOUND',
      `Cannot ${request.method} ${request.url}: no such path in Tempo's API here`,
    )
  })

  app.get('/echo', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('echo'))

  app.get('/status/buildinfo', async () => ({
    version: API_OF_VERSION,
    revision: '',
    branch: 'meshwatch',
    buildUser: '',
    buildDate: '',
    goVersion: '',
  }))

  app.get('/traces/:traceId', (request: TempoRequest<{ traceId: string }>, reply) =>
    sendTrace(deps, request, reply, tempoTraceV1),
  )
  app.get('/v2/traces/:traceId', (request: TempoRequest<{ traceId: string }>, reply) =>
    sendTrace(deps, request, reply, tempoTraceV2),
  )

  app.get('/search', async (request: TempoRequest) => {
    const { filter, startMs, endMs, limit } = parseTempoSearch(request.query, deps.clock.now())
    const found = await searchTraces(deps, {
      tenant: request.tenant,
      filter,
      startMs,
      endMs,
      limit,
      order: 'time',
      signal: request.abortSignal,
    })
    return { traces: found.traces.map(toSearchMetadata), metrics: {} }
  })

  app.get('/search/tags', async (request: TempoRequest) => {
    const scope = firstValue(request.query, 'scope')
    const scopes = await listTagScopes(deps, tagRange(deps, request), scope)
    // Without a scope, Tempo's list has attributes only.
    const named = scopes.filter(({ name }) => name !== 'intrinsic' || scope === 'intrinsic')
    return { tagNames: [...new Set(named.flatMap(({ tags }) => tags))].sort(), metrics: {} }
  })

  app.get('/v2/search/tags', async (request: TempoRequest) => ({
    scopes: await listTagScopes(deps, tagRange(deps, request), firstValue(request.query, 'scope')),
    metrics: {},
  }))

  app.get('/search/tag/:tag/values', async (request: TempoRequest<{ tag: string }>) => {
    const values = await listTagValues(deps, tagRange(deps, request), request.params.tag, undefined)
    return { tagValues: [...new Set(values.map(({ value }) => value))].sort(), metrics: {} }
  })

  app.get('/v2/search/tag/:tag/values', async (request: TempoRequest<{ tag: string }>) => {
    const service = serviceOf(firstValue(request.query, 'q'))
    const tagValues = await listTagValues(deps, tagRange(deps, request), request.params.tag, service)
    return { tagValues, metrics: {} }
  })
}

interface TraceEncoding {
  readonly protobuf: (trace: NonNullable<Awaited<ReturnType<typeof readTrace>>>) => Uint8Array
  readonly json: (trace: NonNullable<Awaited<ReturnType<typeof readTrace>>>) => unknown
}

async function sendTrace(
  deps: QueryDeps,
  request: TempoRequest<{ traceId: string }>,
  reply: FastifyReply,
  encoding: TraceEncoding,
): Promise<unknown> {
  const traceId = parseTraceId(request.params.traceId)
  if (traceId === null) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'invalid trace id: expected up to 32 hex digits, not all of them 0',
    )
  }
  // The whole trace is answered whatever the range: its place is known, so the range would only cut it.
  parseTempoRange(request.query, deps.clock.now(), 0)
  const trace = await readTrace(deps, { tenant: request.tenant, traceId, signal: request.abortSignal })
  if (trace === null) throw new AppError('NOT_FOUND', 'trace not found')
  if (/\bapplication\/(?:x-)?protobuf\b/.test(request.headers.accept ?? '')) {
    return reply.type('application/protobuf').send(encoding.protobuf(trace))
  }
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(encoding.json(trace)))
}

function tagRange(deps: QueryDeps, request: TempoRequest): TagRange {
  return {
    tenant: request.tenant,
    signal: request.abortSignal,
    ...parseTempoRange(request.query, deps.clock.now(), TAGS_LOOKBACK_MS),
  }
}

/** The service that a half-written query names; suggestions are then its own. What cannot be read does not narrow them. */
function serviceOf(query: string | null): string | undefined {
  if (query === null) return undefined
  try {
    return parseTraceql(query).service
  } catch {
    return undefined
  }
}
