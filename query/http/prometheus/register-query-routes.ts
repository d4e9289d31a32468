import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../../runtime/errors.ts'
import { expressionJson } from '../../promql/expression-json.ts'
import { formatExpression } from '../../promql/format-expression.ts'
import { countSamples } from '../../promql/frontend/count-samples.ts'
import type { QueryFrontend } from '../../promql/frontend/create-query-frontend.ts'
import { createQueryReport, type QueryReport } from '../../promql/frontend/query-report.ts'
import { parseExpression } from '../../promql/parse-expression.ts'
import type { RangeQuery } from '../../promql/query-engine.ts'
import { allValues, firstValue, type QueryString } from '../query-values.ts'
import { describePlan } from './describe-plan.ts'
import type { PrometheusApiDeps } from './prometheus-api-deps.ts'
import { invalid, readDuration, readLimit, readTime, requireTime } from './prometheus-parameters.ts'
import { queryStats } from './query-stats.ts'
import { parametersOf } from './request-parameters.ts'
import { seriesCount } from './to-prometheus-result.ts'
import { writeQueryAnswer } from './write-query-answer.ts'

/** More points per series than a screen has are refused, as Prometheus refuses them. */
const MOST_POINTS = 11_000
/** As many notes of a kind as Prometheus tells. */
const MOST_NOTES = 10

/** What the routes of queries are made from. */
export interface QueryRoutesDeps extends PrometheusApiDeps {
  readonly frontend: QueryFrontend
}

/** Routes that evaluate or look at a query; each by GET, and by POST with a form. */
export function registerQueryRoutes(app: FastifyInstance, deps: QueryRoutesDeps): void {
  const route = (
    path: string,
    answer: (request: FastifyRequest, query: QueryString, reply: FastifyReply) => unknown,
  ) => {
    const handler = async (request: FastifyRequest, reply: FastifyReply) =>
      answer(request, parametersOf(request), reply)
    app.get(path, handler)
    app.post(path, { config: { access: 'read' } }, handler)
  }

  route('/api/v1/query', async (request, query, reply) => {
    const limit = readLimit(query)
    const nowMs = deps.clock.now()
    const timeMs = readTime(query, 'time', nowMs) ?? nowMs
    return answerQuery(deps, request, reply, query, limit, { startMs: timeMs, endMs: timeMs, stepMs: 1 })
  })

  route('/api/v1/query_range', async (request, query, reply) => {
    const limit = readLimit(query)
    const nowMs = deps.clock.now()
    const startMs = requireTime(query, 'start', nowMs)
    const endMs = requireTime(query, 'end', nowMs)
    if (endMs < startMs) throw invalid('end', 'end timestamp must not be before start time')
    const stepMs = readDuration(query, 'step')
    if (stepMs === null) throw invalid('step', 'cannot parse "" to a valid duration')
    if (stepMs <= 0) {
      throw invalid(
        'step',
        'zero or negative query resolution step widths are not accepted. Try a positive integer',
      )
    }
    if (Math.floor((endMs - startMs) / stepMs) > MOST_POINTS) {
      throw new AppError(
        'INVALID_ARGUMENT',
        'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      )
    }
    // Samples are dated by whole milliseconds, and so are the moments of a grid.
    const wholeStepMs = Math.max(1, Math.trunc(stepMs))
    return answerQuery(deps, request, reply, query, limit, { startMs, endMs, stepMs: wholeStepMs }, true)
  })

  route('/api/v1/format_query', (_request, query) => ({
    status: 'success',
    data: formatExpression(parseExpression(firstValue(query, 'query') ?? '')),
  }))

  route('/api/v1/parse_query', (_request, query) => ({
    status: 'success',
    data: expressionJson(parseExpression(firstValue(query, 'query') ?? '')),
  }))
}

type Moments = Pick<RangeQuery, 'startMs' | 'endMs' | 'stepMs'>

async function answerQuery(
  deps: QueryRoutesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  query: QueryString,
  limit: number | null,
  moments: Moments,
  isRange = false,
) {
  const { clock, frontend } = deps
  const askedAt = clock.monotonic()
  const timeoutMs = readDuration(query, 'timeout')
  const lookbackMs = readLookback(query)
  const isExplained = allValues(query, 'debug').includes('plan')
  const stats = firstValue(query, 'stats')
  const report = isExplained || stats !== null ? createQueryReport() : undefined
  const common = {
    tenant: request.tenant,
    expr: firstValue(query, 'query') ?? '',
    signal: request.abortSignal,
    ...(lookbackMs === null ? {} : { lookbackMs }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(report === undefined ? {} : { report }),
  }
  const result = await (isRange
    ? frontend.range({ ...common, ...moments })
    : frontend.instant({ ...common, timeMs: moments.startMs }))
  const totalMs = clock.monotonic() - askedAt
  const isCut = limit !== null && seriesCount(result) > limit
  let stream: Readable | null = null
  const pieces = writeQueryAnswer(
    result,
    limit,
    {
      warnings: [...mostNotes(result.warnings, 'warning'), ...(isCut ? [CUT] : [])],
      infos: mostNotes(result.infos, 'info'),
      stats:
        report === undefined || stats === null
          ? null
          : await statsOf(frontend, { ...common, ...moments }, report, totalMs, stats === 'all'),
      plan: report === undefined || !isExplained ? null : describePlan(report, totalMs),
    },
    clock,
    () => stream !== null && stream.readableLength + reply.raw.writableLength === 0,
  )
  reply.type('application/json; charset=utf-8')
  const first = await pieces.next()
  const second = await pieces.next()
  if (second.done === true) return reply.send(first.value)
  stream = Readable.from(allOf([first.value, second.value], pieces), { objectMode: false })
  return reply.send(stream)
}

const CUT = 'results truncated due to limit'

async function statsOf(
  frontend: QueryFrontend,
  query: RangeQuery & { readonly report?: QueryReport },
  report: QueryReport,
  totalMs: number,
  isPerStep: boolean,
) {
  const { report: _, ...counted } = query
  return queryStats(report, totalMs, await countSamples(frontend, counted), isPerStep)
}

/** Zero or less is what the engine takes by itself, as in Prometheus. */
function readLookback(query: QueryString): number | null {
  try {
    const ms = readDuration(query, 'lookback_delta')
    return ms === null || ms <= 0 ? null : ms
  } catch (error) {
    const reason = error instanceof AppError ? error.message.replace(/^invalid parameter "\w+": /, '') : ''
    throw new AppError('INVALID_ARGUMENT', `error parsing lookback delta duration: ${reason}`)
  }
}

function mostNotes(notes: readonly string[], kind: string): readonly string[] {
  if (notes.length <= MOST_NOTES) return notes
  return [...notes.slice(0, MOST_NOTES), `${notes.length - MOST_NOTES} more ${kind} annotations omitted`]
}

async function* allOf(
  first: readonly (Buffer | undefined)[],
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  for (const piece of first) if (piece !== undefined) yield piece
  yield* rest
}
