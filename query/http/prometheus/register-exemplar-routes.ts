import type { FastifyInstance, FastifyRequest } from 'fastify'
import { labelsToRecord } from '../../../model/labels.ts'
import type { Matcher } from '../../../model/matcher.ts'
import { listExemplars } from '../../metrics/list-exemplars.ts'
import { childrenOf, type Expr } from '../../promql/ast.ts'
import { formatFloat } from '../../promql/format-float.ts'
import { parseExpression } from '../../promql/parse-expression.ts'
import { firstValue } from '../query-values.ts'
import type { PrometheusApiDeps } from './prometheus-api-deps.ts'
import { invalid, requireTime } from './prometheus-parameters.ts'
import { parametersOf } from './request-parameters.ts'

/** The exemplars of all series that a query looks at: what Grafana draws as dots over a panel, each with its trace. */
export function registerExemplarRoutes(app: FastifyInstance, deps: PrometheusApiDeps): void {
  const handler = async (request: FastifyRequest) => {
    const query = parametersOf(request)
    const nowMs = deps.clock.now()
    const fromMs = requireTime(query, 'start', nowMs)
    const toMs = requireTime(query, 'end', nowMs)
    if (toMs < fromMs) throw invalid('end', 'end timestamp must not be before start timestamp')
    const found = await listExemplars(deps.storage, {
      tenant: request.tenant,
      matcherSets: selectorsOf(parseExpression(firstValue(query, 'query') ?? '')),
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

function selectorsOf(expr: Expr): (readonly Matcher[])[] {
  return expr.kind === 'vectorSelector' ? [expr.matchers] : childrenOf(expr).flatMap(selectorsOf)
}
