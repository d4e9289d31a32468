import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../../../runtime/errors.ts'
import { expressionJson } from '../../promql/expression-json.ts'
import { formatExpression } from '../../promql/format-expression.ts'
import { parseExpression } from '../../promql/parse-expression.ts'
import type { QueryResult } from '../../promql/query-engine.ts'
import { firstValue, type QueryString } from '../query-values.ts'
import type { PrometheusApiDeps } from './prometheus-api-deps.ts'
import { invalid, readDuration, readLimit, readTime, requireTime } from './prometheus-parameters.ts'
import { parametersOf } from './request-parameters.ts'
import { seriesCount, toPrometheusResult } from './to-prometheus-result.ts'

/** More points per series than a screen has are refused, as Prometheus refuses them. */
const MOST_POINTS = 11_000

/** Routes that evaluate or look at a query; each by GET, and by POST with a form. */
export function registerQueryRoutes(app: FastifyInstance, deps: PrometheusApiDeps): void {
  const route = (path: string, answer: (request: FastifyRequest, query: QueryString) => unknown) => {
    const handler = async (request: FastifyRequest) => answer(request, parametersOf(request))
    app.get(path, handler)
    app.post(path, { config: { access: 'read' } }, handler)
  }

  route('/api/v1/query', async (request, query) => {
    const nowMs = deps.clock.now()
    const timeMs = readTime(query, 'time', nowMs) ?? nowMs
    return answerQuery(request, query, (common) => deps.engine.instant({ ...common, timeMs }))
  })

  route('/api/v1/query_range', async (request, query) => {
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
    if ((endMs - startMs) / stepMs > MOST_POINTS) {
      throw new AppError(
        'INVALID_ARGUMENT',
        'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      )
    }
    // Samples are dated by whole milliseconds, and so are the moments of a grid.
    const wholeStepMs = Math.max(1, Math.round(stepMs))
    return answerQuery(request, query, (common) =>
      deps.engine.range({ ...common, startMs, endMs, stepMs: wholeStepMs }),
    )
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

interface CommonQuery {
  readonly tenant: string
  readonly expr: string
  readonly signal: AbortSignal
  readonly lookbackMs?: number
}

async function answerQuery(
  request: FastifyRequest,
  query: QueryString,
  evaluate: (common: CommonQuery) => Promise<QueryResult>,
) {
  const limit = readLimit(query)
  const timeoutMs = readDuration(query, 'timeout')
  const lookbackMs = readDuration(query, 'lookback_delta')
  const timeout =
    timeoutMs === null ? null : AbortSignal.timeout(Math.max(1, Math.min(timeoutMs, 2 ** 31 - 1)))
  const signal = timeout === null ? request.abortSignal : AbortSignal.any([request.abortSignal, timeout])
  const result = await evaluate({
    tenant: request.tenant,
    expr: firstValue(query, 'query') ?? '',
    signal,
    ...(lookbackMs === null ? {} : { lookbackMs }),
  }).catch((error: unknown) => {
    if (timeout?.aborted !== true || request.abortSignal.aborted) throw error
    throw new AppError('QUERY_TIMEOUT', 'query timed out in expression evaluation', { cause: error })
  })
  const isCut = limit !== null && seriesCount(result) > limit
  const warnings = [...result.warnings, ...(isCut ? ['results truncated due to limit'] : [])]
  return {
    status: 'success',
    data: toPrometheusResult(result, limit),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(result.infos.length > 0 ? { infos: result.infos } : {}),
  }
}
