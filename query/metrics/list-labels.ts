import { compareBytes, labelPairs, labelValue, METRIC_NAME } from '../../model/labels.ts'
import type { Storage } from '../../storage/storage.ts'
import { SUFFIXES } from './matcher-conditions.ts'
import { indexCondition, type SeriesKind } from './select-index.ts'
import { type LabelSetsRequest, selectLabelSets } from './select-label-sets.ts'

/** The names of all labels that occur, sorted; of series that match, or of all when there are no matchers. */
export async function listLabelNames(storage: Storage, request: LabelSetsRequest): Promise<string[]> {
  if (request.matcherSets.length > 0) {
    const sets = await selectLabelSets(storage, request)
    return sorted(sets.flatMap((labels) => [...labelPairs(labels)].map(([name]) => name)))
  }
  const { sql, params } = indexCondition({ matchers: [], fromMs: request.fromMs })
  const [row] = await storage.select<{
    readonly names: readonly string[]
    readonly kinds: readonly SeriesKind[]
  }>({
    name: 'metrics.labelNames',
    tenant: request.tenant,
    sql: `SELECT groupUniqArrayArray(mapKeys(labels)) AS names, groupUniqArray(kind) AS kinds FROM prom_series WHERE ${sql}`,
    params,
    ...signalOf(request),
  })
  if (row === undefined || row.kinds.length === 0) return []
  return sorted([
    METRIC_NAME,
    ...row.names,
    ...(row.kinds.includes('histogram') ? ['le'] : []),
    ...(row.kinds.includes('summary') ? ['quantile'] : []),
  ])
}

/** The values that a label has, sorted; of series that match, or of all when there are no matchers. */
export async function listLabelValues(
  storage: Storage,
  request: LabelSetsRequest & { readonly name: string },
): Promise<string[]> {
  const { name, matcherSets } = request
  // The bounds of buckets and quantiles are no labels of the index.
  const isMade = name === 'le' || name === 'quantile'
  if (matcherSets.length > 0 || isMade) {
    const wanted =
      isMade && matcherSets.length === 0 ? [[{ name, op: '!=', value: '' } as const]] : matcherSets
    const sets = await selectLabelSets(storage, { ...request, matcherSets: wanted })
    return sorted(sets.map((labels) => labelValue(labels, name)))
  }
  const { sql, params } = indexCondition({ matchers: [], fromMs: request.fromMs })
  const base = { name: 'metrics.labelValues', tenant: request.tenant, ...signalOf(request) }
  if (name === METRIC_NAME) {
    const rows = await storage.select<{ readonly metricName: string; readonly seriesKind: SeriesKind }>({
      ...base,
      sql: `SELECT DISTINCT name AS metricName, kind AS seriesKind FROM prom_series WHERE ${sql}`,
      params,
    })
    return sorted(rows.flatMap(({ metricName, seriesKind }) => namesOf(metricName, seriesKind)))
  }
  const rows = await storage.select<{ readonly labelValue: string }>({
    ...base,
    sql: `SELECT DISTINCT labels[{labelName:String}] AS labelValue FROM prom_series WHERE ${sql}`,
    params: { ...params, labelName: name },
  })
  return sorted(rows.map((row) => row.labelValue))
}

/** The names of the series that a row of the index makes. */
function namesOf(name: string, kind: SeriesKind): string[] {
  switch (kind) {
    case 'histogram':
    case 'summary':
      return SUFFIXES[kind].map((suffix) => `${name}${suffix}`)
    case 'exponential_histogram':
      return []
    default:
      return [name]
  }
}

function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== '').sort(compareBytes)
}

function signalOf({ signal }: LabelSetsRequest) {
  return signal === undefined ? {} : { signal }
}
