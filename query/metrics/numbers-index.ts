import { compareLabels, hasReservedLabel, type Labels, labelValue, METRIC_NAME } from '../../model/labels.ts'
import { type LabelsTest, namedLabels } from './expand-series.ts'
import type { SeriesKind } from './index-condition.ts'
import type { IndexedSeries } from './select-index.ts'

/** Series of one number per sample: in Prometheus' form, or OTLP's gauges and cumulative sums. */
export type NumberKind = 'samples' | 'points'

/** The series of one kind that an answer of the index holds. */
export interface NumbersIndex {
  /** The names in the table. */
  readonly metrics: readonly string[]
  /** 32 hex digits each, ascending: as they stand in the table. */
  readonly ids: readonly string[]
  /** What the series of an id are called, and their places by labels among all of the kind. An id has several names when the translation of names has changed. */
  readonly byId: ReadonlyMap<string, readonly { readonly labels: Labels; readonly rank: number }[]>
  /** The index holds nothing else, and no two series have the same labels. */
  readonly isAlone: boolean
  /** They have one metric's name, and no other label of special meaning. */
  readonly isOneMetric: boolean
}

const KINDS: Readonly<Record<NumberKind, readonly SeriesKind[]>> = {
  samples: ['sample'],
  points: ['gauge', 'sum'],
}

/** What was made of an answer of the index: the same answer is used again and again. */
const known = new WeakMap<readonly IndexedSeries[], Map<NumberKind, NumbersIndex>>()

/** The series of a kind that an answer of the index holds; `isWanted`: the matchers that the index was asked with. */
export function numbersIndex(
  kind: NumberKind,
  index: readonly IndexedSeries[],
  isWanted: LabelsTest,
): NumbersIndex {
  const ofIndex = known.get(index) ?? new Map<NumberKind, NumbersIndex>()
  known.set(index, ofIndex)
  const before = ofIndex.get(kind)
  if (before !== undefined) return before
  const made = makeIndex(kind, index, isWanted)
  ofIndex.set(kind, made)
  return made
}

function makeIndex(kind: NumberKind, index: readonly IndexedSeries[], isWanted: LabelsTest): NumbersIndex {
  const own = index.filter((series) => KINDS[kind].includes(series.kind) && !series.isDelta)
  const wanted = own
    .map((series) => ({ id: series.id, metric: series.metric, labels: namedLabels(series, '') }))
    .filter(({ labels }) => isWanted(labels))
    .sort((a, b) => compareLabels(a.labels, b.labels))
  const byId = new Map<string, { labels: Labels; rank: number }[]>()
  let areDifferent = true
  for (const [rank, { id, labels }] of wanted.entries()) {
    const previous = wanted[rank - 1]
    if (previous !== undefined && compareLabels(previous.labels, labels) === 0) areDifferent = false
    const same = byId.get(id)
    if (same === undefined) byId.set(id, [{ labels, rank }])
    else same.push({ labels, rank })
  }
  return {
    metrics: [...new Set(wanted.map(({ metric }) => metric))],
    ids: [...byId.keys()].sort(),
    byId,
    isAlone: areDifferent && own.length === index.length,
    isOneMetric: wanted.every(
      ({ labels }) => !hasReservedLabel(labels) && nameOf(labels) === nameOf(wanted[0]?.labels ?? []),
    ),
  }
}

function nameOf(labels: Labels): string {
  return labelValue(labels, METRIC_NAME)
}
