import type { FastifyInstance, FastifyRequest } from 'fastify'
import { labelsToRecord } from '../../../model/labels.ts'
import { unescapeLabelName } from '../../../model/unescape-label-name.ts'
import { AppError } from '../../../runtime/errors.ts'
import { listLabelNames, listLabelValues } from '../../metrics/list-labels.ts'
import { listMetadata } from '../../metrics/list-metadata.ts'
import { type LabelSetsRequest, selectLabelSets } from '../../metrics/select-label-sets.ts'
import { allValues, firstValue, type QueryString } from '../query-values.ts'
import type { PrometheusApiDeps } from './prometheus-api-deps.ts'
import { readCount, readLimit, readMatchers, readTime } from './prometheus-parameters.ts'
import { registerTsdbRoute } from './register-tsdb-route.ts'
import { parametersOf } from './request-parameters.ts'

/** Metadata of more metrics are cut off: a bound of memory, not of use. */
const MOST_METADATA = 200_000

/** Routes that tell which series, labels and metrics there are, and how many. */
export function registerSeriesRoutes(app: FastifyInstance, deps: PrometheusApiDeps): void {
  const { storage } = deps
  const cut = (values: readonly unknown[], query: QueryString) => {
    const limit = readLimit(query)
    if (limit === null || values.length <= limit) return { status: 'success', data: values }
    return { status: 'success', data: values.slice(0, limit), warnings: ['results truncated due to limit'] }
  }

  const series = async (request: FastifyRequest) => {
    const query = parametersOf(request)
    if (allValues(query, 'match[]').length === 0) {
      throw new AppError('INVALID_ARGUMENT', 'no match[] parameter provided')
    }
    const limit = readLimit(query)
    const asked = requestOf(deps, request, query, true)
    if (asked.toMs < asked.fromMs) return cut([], query)
    const sets = await selectLabelSets(storage, limit === null ? asked : { ...asked, enough: limit + 1 })
    return cut(sets.map(labelsToRecord), query)
  }
  app.get('/api/v1/series', series)
  app.post('/api/v1/series', { config: { access: 'read' } }, series)

  const labels = async (request: FastifyRequest) => {
    const query = parametersOf(request)
    const asked = requestOf(deps, request, query, false)
    return cut(asked.toMs < asked.fromMs ? [] : await listLabelNames(storage, asked), query)
  }
  app.get('/api/v1/labels', labels)
  app.post('/api/v1/labels', { config: { access: 'read' } }, labels)

  app.get('/api/v1/label/:name/values', async (request: FastifyRequest<{ Params: { name: string } }>) => {
    const query = parametersOf(request)
    const name = unescapeLabelName(request.params.name)
    if (name === '') throw new AppError('INVALID_ARGUMENT', 'invalid label name: ""')
    const limit = readLimit(query)
    // One more says that there are more.
    const most = limit === null ? undefined : limit + 1
    const asked = requestOf(deps, request, query, false)
    if (asked.toMs < asked.fromMs) return cut([], query)
    return cut(await listLabelValues(storage, { ...asked, name, limit: most }), query)
  })

  registerTsdbRoute(app, deps)

  app.get('/api/v1/metadata', async (request: FastifyRequest) => {
    const query = parametersOf(request)
    const limit = readCount(query, 'limit')
    const perMetric = readCount(query, 'limit_per_metric') || Number.POSITIVE_INFINITY
    const found = await listMetadata(storage, {
      tenant: request.tenant,
      name: firstValue(query, 'metric'),
      limit: MOST_METADATA,
      signal: request.abortSignal,
    })
    const data: Record<string, unknown[]> = Object.create(null)
    for (const { name, ...metadata } of found) {
      if (data[name] === undefined && Object.keys(data).length >= limit) break
      const list = data[name] ?? []
      data[name] = list
      if (list.length < perMetric) list.push(metadata)
    }
    return { status: 'success', data }
  })
}

/** A range that ends before it begins is no error here: nothing lies in it. */
function requestOf(
  deps: PrometheusApiDeps,
  request: FastifyRequest,
  query: QueryString,
  isNamed: boolean,
): LabelSetsRequest {
  const nowMs = deps.clock.now()
  const fromMs = readTime(query, 'start', nowMs) ?? 0
  const toMs = readTime(query, 'end', nowMs) ?? nowMs
  return {
    tenant: request.tenant,
    matcherSets: readMatchers(query, isNamed),
    fromMs,
    toMs,
    signal: request.abortSignal,
  }
}
