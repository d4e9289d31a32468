import type { FastifyInstance, FastifyRequest } from 'fastify'
import { METRIC_NAME } from '../../../model/labels.ts'
import { countByLabel } from '../../metrics/cardinality/count-by-label.ts'
import { countByMetric } from '../../metrics/cardinality/count-by-metric.ts'
import type { PrometheusApiDeps } from './prometheus-api-deps.ts'
import { invalid, readLimit } from './prometheus-parameters.ts'
import { parametersOf } from './request-parameters.ts'

interface Stat {
  readonly name: string
  readonly value: number
}

const DEFAULT_LIMIT = 10
const MOST = 10_000

/** Serves `status/tsdb` in Prometheus' form: cardinality of the series of today and yesterday. There are no chunks here. */
export function registerTsdbRoute(app: FastifyInstance, deps: PrometheusApiDeps): void {
  app.get('/api/v1/status/tsdb', async (request: FastifyRequest) => {
    const limit = readLimit(parametersOf(request)) ?? DEFAULT_LIMIT
    if (limit > MOST) throw invalid('limit', `limit must not exceed ${MOST}`)
    const nowMs = deps.clock.now()
    const asked = { tenant: request.tenant, nowMs, matchers: [], limit, signal: request.abortSignal }
    const [metrics, { labels, pairs }] = await Promise.all([
      // All metrics: their sum of bytes is told too.
      countByMetric(deps.storage, { ...asked, limit: MOST }),
      countByLabel(deps.storage, asked, null),
    ])
    const top = (stats: readonly Stat[]) => [...stats].sort((a, b) => b.value - a.value).slice(0, limit)
    const nameBytes = metrics.most.reduce(
      (sum, { metric, series }) => sum + Buffer.byteLength(metric) * series,
      0,
    )
    const data = {
      headStats: {
        numSeries: metrics.series,
        numLabelPairs: metrics.metrics + labels.reduce((sum, { values }) => sum + values, 0),
        chunkCount: 0,
        minTime: nowMs - 86_400_000,
        maxTime: nowMs,
      },
      seriesCountByMetricName: top(
        metrics.most.map(({ metric, series }) => ({ name: metric, value: series })),
      ),
      labelValueCountByLabelName: top([
        { name: METRIC_NAME, value: metrics.metrics },
        ...labels.map(({ label, values }) => ({ name: label, value: values })),
      ]),
      memoryInBytesByLabelName: top([
        { name: METRIC_NAME, value: nameBytes },
        ...labels.map(({ label, bytes }) => ({ name: label, value: bytes })),
      ]),
      seriesCountByLabelValuePair: top([
        ...metrics.most.map(({ metric, series }) => ({ name: `${METRIC_NAME}=${metric}`, value: series })),
        ...pairs.map(({ label, value, series }) => ({ name: `${label}=${value}`, value: series })),
      ]),
    }
    return { status: 'success', data }
  })
}
