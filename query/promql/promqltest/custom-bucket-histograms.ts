import {
  CUSTOM_BUCKETS_SCHEMA,
  EMPTY_HISTOGRAM,
  type FloatHistogram,
} from '../../../model/float-histogram.ts'
import { type Labels, labelsKey, labelValue, METRIC_NAME, withLabel } from '../../../model/labels.ts'
import { parseSignedNumber } from '../parse-number.ts'
import type { SeriesDescription } from './parse-series.ts'

/**
 * The native histograms with custom buckets that classic histograms amount to, as `load_with_nhcb` makes them: series ending in `_bucket`, `_sum`, `_count` that
 * differ in nothing but that and `le` become one series without the suffix. Throws Error when what there is at one moment is no histogram: counts that
 * are negative, fall with growing bounds or contradict each other.
 */
export function customBucketHistograms(series: readonly SeriesDescription[]): readonly SeriesDescription[] {
  const groups = new Map<string, { readonly labels: Labels; readonly moments: Moment[] }>()
  for (const one of series) {
    const name = labelValue(one.labels, METRIC_NAME)
    const [, base = '', suffix] = /^(.*)_(bucket|sum|count)$/s.exec(name) ?? []
    if (suffix === undefined) continue
    const bound = suffix === 'bucket' ? readBound(labelValue(one.labels, 'le')) : null
    if (suffix === 'bucket' && bound === null) continue
    const labels = withLabel(withLabel(one.labels, METRIC_NAME, base), 'le', '')
    const key = labelsKey(labels)
    const group = groups.get(key) ?? { labels, moments: [] }
    groups.set(key, group)
    for (const [index, value] of one.values.entries()) {
      if (value.kind !== 'float' && value.kind !== 'stale') continue
      const number = value.kind === 'float' ? value.value : Number.NaN
      const moment = group.moments[index] ?? { counts: new Map(), sum: 0, count: null }
      group.moments[index] = moment
      if (bound !== null) {
        if (!moment.counts.has(bound)) moment.counts.set(bound, number)
      } else if (suffix === 'sum') moment.sum = number
      else moment.count = number
    }
  }
  return [...groups.values()].map(({ labels, moments }) => ({
    labels,
    values: Array.from(moments, (moment) =>
      moment === undefined
        ? { kind: 'missing' }
        : { kind: 'histogram', histogram: toHistogram(moment), isHintSet: false },
    ),
  }))
}

interface Moment {
  /** Cumulative, by upper bound. */
  readonly counts: Map<number, number>
  sum: number
  count: number | null
}

function readBound(text: string): number | null {
  const bound = parseSignedNumber(text)
  return bound === null || Number.isNaN(bound) ? null : bound
}

function toHistogram({ counts, sum, count }: Moment): FloatHistogram {
  const cumulative = [...counts].sort(([a], [b]) => a - b)
  const last = cumulative.at(-1)
  const total = count ?? last?.[1]
  if (total === undefined) throw new Error('count must be provided when no buckets are present')
  if (last === undefined || last[0] !== Number.POSITIVE_INFINITY) {
    cumulative.push([Number.POSITIVE_INFINITY, total])
  }
  let before = 0
  const buckets = cumulative.map(([bound, upTo]) => {
    if (upTo < before) throw new Error(`count is not cumulative: ${upTo} < ${before} at le=${bound}`)
    const inBucket = upTo - before
    before = upTo
    return inBucket
  })
  if (total !== before && !(Number.isNaN(total) && Number.isNaN(before))) {
    throw new Error(`count mismatch: count=${total} != le=+Inf count=${before}`)
  }
  return {
    ...EMPTY_HISTOGRAM,
    schema: CUSTOM_BUCKETS_SCHEMA,
    sum,
    count: total,
    positiveSpans: [{ offset: 0, length: buckets.length }],
    positiveBuckets: buckets,
    customValues: cumulative.slice(0, -1).map(([bound]) => bound),
  }
}
