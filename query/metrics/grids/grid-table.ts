import { hasReservedLabel, type Labels, labelsKey, METRIC_NAME } from '../../../model/labels.ts'
import type { TableName } from '../../../storage/tables.ts'
import type { GridRequest } from '../../promql/series-source.ts'
import { type LabelsTest, namedLabels } from '../expand-series.ts'
import { CUMULATED_COUNTS } from '../read-histogram-bases.ts'
import type { IndexedSeries } from '../select-index.ts'
import { NO_RECORDED_VALUE } from '../series-reader.ts'

/** Where the samples of all series of a selection stand, and how they are read. */
export interface GridTable {
  readonly table: TableName
  /** The sample's number. */
  readonly value: string
  /** True where the sample says that the series has ended. */
  readonly marker: string
  /** Rows that count; null: all. */
  readonly condition: string | null
  /** Each row holds the buckets of a histogram: its values are told apart by their bounds. */
  readonly hasBuckets: boolean
  readonly metrics: readonly string[]
  /** With their names. Of buckets without `le`. */
  readonly series: readonly { readonly id: string; readonly labels: Labels }[]
  /** The metrics' names, as PromQL knows them. */
  readonly names: ReadonlySet<string>
}

type Layout = Pick<GridTable, 'table' | 'value' | 'marker' | 'condition' | 'hasBuckets'>

const SAMPLES: Layout = {
  table: 'prom_samples',
  value: 'value',
  marker: 'is_stale',
  condition: null,
  hasBuckets: false,
}
const POINTS: Layout = {
  table: 'otlp_points',
  value: 'value',
  marker: `${NO_RECORDED_VALUE} = 1`,
  condition: `value_kind != 'e' OR ${NO_RECORDED_VALUE} = 1`,
  hasBuckets: false,
}
const countOf = (table: TableName): Layout => ({
  table,
  value: 'toFloat64(count)',
  marker: `${NO_RECORDED_VALUE} = 1`,
  condition: null,
  hasBuckets: false,
})

/** The parts of a histogram and of a summary that are series of one number, by suffix. */
const PARTS = {
  histogram: [
    ['_count', countOf('otlp_histograms')],
    [
      '_sum',
      {
        ...countOf('otlp_histograms'),
        value: 'sum',
        condition: `bitAnd(present, 1) = 1 OR ${NO_RECORDED_VALUE} = 1`,
      },
    ],
    ['_bucket', { ...countOf('otlp_histograms'), value: 'bucket', hasBuckets: true }],
  ],
  summary: [
    ['_count', countOf('otlp_summaries')],
    ['_sum', { ...countOf('otlp_summaries'), value: 'sum' }],
  ],
} as const satisfies Record<string, readonly (readonly [string, Layout])[]>

/** What stands for a histogram's buckets, each a row: its `bound` and the count up to it, `bucket`. */
export const BUCKET_JOIN = `ARRAY JOIN
  arrayConcat(arrayFilter(x -> x != inf, bounds), [inf]) AS bound,
  arrayConcat(
    arrayResize(${CUMULATED_COUNTS}, length(arrayFilter(x -> x != inf, bounds)), toFloat64(count)),
    [toFloat64(count)]
  ) AS bucket`

/** Finds out where the series of a selection stand; a text: why they cannot be computed in one place. */
export function gridTable(
  index: readonly IndexedSeries[],
  request: Pick<GridRequest, 'matchers' | 'aggregate'>,
  isWanted: LabelsTest,
): GridTable | string {
  let layout: Layout | null = null
  const metrics = new Set<string>()
  const names = new Set<string>()
  const series: { id: string; labels: Labels }[] = []
  for (const row of index) {
    const found = layoutOf(row, request, isWanted)
    if (typeof found === 'string') return found
    if (found === null) continue
    if (row.isDelta) return 'differences are summed up here'
    if (layout !== null && layout !== found.layout) return 'the samples stand in several places'
    layout = found.layout
    metrics.add(row.metric)
    names.add(found.labels[found.labels.indexOf(METRIC_NAME) + 1] ?? '')
    series.push({ id: row.id, labels: found.labels })
  }
  if (request.aggregate !== null && names.size > 1) return 'several metrics are aggregated'
  if (series.some(({ labels }) => hasReservedLabel(labels))) return 'series have labels of special meaning'
  // Samples are stored by their labels; of others several may have the same.
  if (layout !== SAMPLES && new Set(series.map(({ labels }) => labelsKey(labels))).size < series.length) {
    return 'several stored series have the same labels'
  }
  return { ...(layout ?? SAMPLES), metrics: [...metrics], series, names }
}

function layoutOf(
  row: IndexedSeries,
  { matchers }: Pick<GridRequest, 'matchers'>,
  isWanted: LabelsTest,
): { readonly layout: Layout; readonly labels: Labels } | string | null {
  switch (row.kind) {
    case 'exponential_histogram':
      return isWanted(namedLabels(row, '')) ? 'native histograms' : null
    case 'histogram':
    case 'summary': {
      if (matchers.some(({ name }) => name === 'le' || name === 'quantile')) {
        return 'one of the labels is made when samples are read'
      }
      const parts = PARTS[row.kind].filter(([suffix]) => isWanted(namedLabels(row, suffix)))
      const [part] = parts
      if (row.kind === 'summary' && isWanted(namedLabels(row, ''))) return 'quantiles of summaries'
      if (part === undefined) return null
      return parts.length > 1
        ? 'several parts of a histogram'
        : { layout: part[1], labels: namedLabels(row, part[0]) }
    }
    default: {
      const labels = namedLabels(row, '')
      if (!isWanted(labels)) return null
      return { layout: row.kind === 'sample' ? SAMPLES : POINTS, labels }
    }
  }
}
