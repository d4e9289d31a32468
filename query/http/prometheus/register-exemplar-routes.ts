import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { labelsToRecord } from '../../../model/labels.ts'
import type { Matcher } from '../../../model/matcher.ts'
import { AppError, errorMessage } from '../../../runtime/errors.ts'
import { listExemplars } from '../../metrics/list-exemplars.ts'
import { childrenOf, type Expr } from '../../promql/ast.ts'
import { formatFloat } from '../../promql/format-float.ts'
import { parseExpression } from '../../promql/parse-expression.ts'
import { firstValue } from '../query-values.ts'
import type { PrometheusApiDeps } from './prometheus-api-deps.ts'
import { readTime } from './prometheus-parameters.ts'
import { parametersOf } from './request-parameters.ts'

/** The exemplars of all series that a query looks at: what Grafana draws as dots over a panel, each with its trace. */
export function registerExemplarRoutes(app: FastifyInstance, deps: PrometheusApiDeps): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const query = parametersOf(request)
    const nowMs = deps.clock.now()
    const fromMs = readTime(query, 'start', nowMs) ?? 0
    const toMs = readTime(query, 'end', nowMs) ?? nowMs
    if (toMs < fromMs) {
      throw new AppError('INVALID_ARGUMENT', 'end timestamp must not be before start timestamp')
    }
    const matcherSets = selectorsOf(parseQuery(firstValue(query, 'query') ?? ''))
    // Prometheus has no answer to that, not even an empty one.
    if (matcherSets.length === 0) return reply.code(204).send()
    const found = await listExemplars(deps.storage, {
      tenant: request.tenant,
      matcherSets,
      fromMs,
      toMs,
      limit: deps.limits.maxPageSize,
      signal: request.abortSignal,
    })
    return {
      status: 'success',
      data: found.map(({ labels, exemplars }) => ({
        seriesLabels: labelsToRecord(labels),
        exemplars: exemplars.map((exemplar) => ({
          labels: labelsToRecord(exemplar.labels),
          value: formatFloat(exemplar.value),
          timestamp: exemplar.timestampMs / 1000,
        })),
      })),
    }
  }
  app.get('/api/v1/query_exemplars', handler)
  app.post('/api/v1/query_exemplars', { config: { access: 'read' } }, handler)
}

/** Here, other than for queries, the error does not say which parameter is meant. */
function parseQuery(text: string): Expr {
  try {
    return parseExpression(text)
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', errorMessage(error), { cause: error })
  }
}

function selectorsOf(expr: Expr): (readonly Matcher[])[] {
  return expr.kind === 'vectorSelector' ? [expr.matchers] : childrenOf(expr).flatMap(selectorsOf)
}
