import { type Labels, labelsFrom, labelsKey } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import { matchesAll, namedLabels } from './expand-series.ts'
import { INDEX_TABLE, indexCondition } from './index-condition.ts'
import { SUFFIXES } from './matcher-conditions.ts'
import { storableRange } from './read-samples.ts'
import { resolveMatchers } from './resolve-matchers.ts'
import { type IndexedSeries, selectIndex } from './select-index.ts'
import type { LabelSetsRequest } from './select-label-sets.ts'
import { type StoredNumber, storedNumber } from './stored-number.ts'

/** A measurement that stands for others of its series, usually with the trace it was made in. */
export interface Exemplar {
  /** Epoch milliseconds. */
  readonly timestampMs: number
  readonly value: number
  /** `trace_id`, `span_id` and what else was recorded with it. */
  readonly labels: Labels
}

/** The exemplars of one series, oldest first. Those of a histogram belong to all its buckets and are told once, without `le`. */
export interface SeriesExemplars {
  readonly labels: Labels
  readonly exemplars: readonly Exemplar[]
}

/** The newest exemplars, at most `limit` for each list of matchers; what a sender sent twice is told once. Throws what `Storage.select` throws. */
export async function listExemplars(
  storage: Storage,
  request: LabelSetsRequest & { readonly limit: number },
): Promise<SeriesExemplars[]> {
  const lists = await Promise.all(
    request.matcherSets.map((matchers) => exemplarsOf(storage, { ...request, matchers })),
  )
  const byKey = new Map(lists.flat().map((series) => [labelsKey(series.labels), series]))
  return [...byKey.values()]
}

async function exemplarsOf(
  storage: Storage,
  request: LabelSetsRequest & { readonly limit: number; readonly matchers: readonly Matcher[] },
): Promise<SeriesExemplars[]> {
  const { tenant, matchers, signal, limit } = request
  const { fromMs, toMs } = storableRange(request)
  const index = await selectIndex(storage, { tenant, matchers, fromMs, signal })
  const metrics = [...new Set(index.map(({ metric }) => metric))]
  if (metrics.length === 0) return []
  const resolved = await resolveMatchers(storage, { tenant, matchers, fromMs, signal })
  const condition = indexCondition({ matchers: resolved, fromMs })
  const rows = await storage.select<Row>({
    name: 'metrics.exemplars',
    tenant,
    sql: `SELECT
  lower(hex(series)) AS seriesId,
  toFloat64(toUnixTimestamp64Milli(ts)) AS timestampMs,
  value AS exemplarValue,
  if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) AS traceId,
  if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS spanId,
  CAST(attrs, 'Array(Tuple(String, String))') AS attributes
FROM metric_exemplars
WHERE tenant = {tenant:String} AND metric IN {metrics:Array(String)}
  AND point_ts >= fromUnixTimestamp64Milli({startMs:Int64}) AND point_ts < fromUnixTimestamp64Milli({endMs:Int64})
  AND series GLOBAL IN (SELECT id FROM ${INDEX_TABLE} WHERE ${condition.sql})
ORDER BY ts DESC
LIMIT 1 BY series, ts, value, trace_id, span_id
LIMIT {limit:UInt32}`,
    params: { ...condition.params, metrics, startMs: Math.max(0, fromMs), endMs: toMs + 1, limit },
    ...(signal === undefined ? {} : { signal }),
  })
  const bySeries = new Map<string, Exemplar[]>()
  for (const row of rows.reverse()) {
    const list = bySeries.get(row.seriesId) ?? []
    list.push(toExemplar(row))
    bySeries.set(row.seriesId, list)
  }
  const isWanted = matchesAll(matchers.filter(({ name }) => name !== 'le'))
  return index.flatMap((series) => {
    const exemplars = bySeries.get(series.id)
    const labels = exemplarSeries(series).find(isWanted)
    return exemplars === undefined || labels === undefined ? [] : [{ labels, exemplars }]
  })
}

/** The names that a series of the index may be asked for by. */
function exemplarSeries(series: IndexedSeries): Labels[] {
  const suffixes: readonly string[] = series.kind === 'histogram' ? SUFFIXES.histogram : ['']
  return suffixes.map((suffix) => namedLabels(series, suffix))
}

interface Row {
  readonly seriesId: string
  readonly timestampMs: number
  readonly exemplarValue: StoredNumber
  readonly traceId: string
  readonly spanId: string
  readonly attributes: readonly [string, string][]
}

function toExemplar({ timestampMs, exemplarValue, traceId, spanId, attributes }: Row): Exemplar {
  const labels = labelsFrom([...attributes, ['trace_id', traceId], ['span_id', spanId]])
  return { timestampMs, value: storedNumber(exemplarValue), labels }
}
