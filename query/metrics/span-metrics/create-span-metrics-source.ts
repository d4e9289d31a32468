import { type Labels, labelsFrom, METRIC_NAME } from '../../../model/labels.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Storage } from '../../../storage/storage.ts'
import { formatBound } from '../../promql/format-float.ts'
import type { Series, SeriesSelection, SeriesSource } from '../../promql/series-source.ts'
import { tooManySamples } from '../../promql/too-many-samples.ts'
import type { RollUp } from '../../traces/roll-up-source.ts'
import { type LabelsTest, matchesAll } from '../expand-series.ts'
import { storableRange } from '../read-samples.ts'
import { watchStatements } from '../watch-statements.ts'
import { readSpanCounts, type SpanCounts } from './read-span-counts.ts'
import { matchingFamilies } from './span-metric-conditions.ts'
import { SPAN_BUCKET_BOUNDS, type SpanMetricFamily } from './span-metric-families.ts'
import { SPAN_METRIC_LABELS } from './span-metric-labels.ts'
import { type SlotSample, walkSpanSlots } from './walk-span-slots.ts'

/**
 * Counters and histograms made of the roll-ups of spans when they are asked for: `traces_spanmetrics_…` and `traces_service_graph_…`. See
 * {@link walkSpanSlots} for when they have samples and where they begin. Selections that cannot match any of them ask nothing of the storage.
 */
export function createSpanMetricsSource(storage: Storage, clock: Clock): SeriesSource {
  return {
    async selectSeries(selection) {
      const families = matchingFamilies(selection.matchers)
      const watched = watchStatements(storage, clock, selection.onStatement)
      const collected: Collected = { series: [], samples: 0 }
      for (const rollUp of ['red', 'edges'] as const) {
        const wanted = families.filter((family) => family.rollUp === rollUp)
        if (wanted.length > 0) await readRollUp(watched, selection, rollUp, wanted, collected)
      }
      return collected.series
    },
  }
}

interface Collected {
  readonly series: Series[]
  samples: number
}

async function readRollUp(
  storage: Storage,
  selection: SeriesSelection,
  rollUp: RollUp,
  families: readonly SpanMetricFamily[],
  into: Collected,
): Promise<void> {
  const range = storableRange(selection)
  const { counts, baseDay } = await readSpanCounts(storage, {
    tenant: selection.tenant,
    rollUp,
    matchers: selection.matchers,
    ...range,
    measures: new Set(families.map(({ measure }) => measure)),
    maxRows: selection.maxSamples ?? Number.POSITIVE_INFINITY,
    signal: selection.signal,
  })
  const isWanted = matchesAll(selection.matchers)
  for (const one of counts) {
    const samples: SlotSample[] = []
    const totals = totalsOf(one)
    walkSpanSlots(totals.slots, { ...range, baseDay }, (sample) => samples.push(sample))
    if (samples.length === 0) continue
    for (const { labels, sums } of seriesOf(rollUp, families, one, totals, isWanted)) {
      into.samples += samples.length
      if (into.samples > (selection.maxSamples ?? Number.POSITIVE_INFINITY)) throw tooManySamples()
      into.series.push(toSeries(labels, sums, samples))
    }
  }
}

/** Sums over the first n slots, for each n; `base`: of the base day before the first slot. */
interface RunningSums {
  readonly sums: Float64Array
  readonly base: number
}

interface Totals {
  /** Ascending, no two equal. */
  readonly slots: Float64Array
  /** For each row of each part the number of its slot; -1: the base. */
  readonly numbers: readonly Int32Array[]
}

function totalsOf({ parts }: SpanCounts): Totals {
  const distinct = new Set<number>()
  for (const part of parts)
    for (let i = 0; i < part.slots.length; i += 1) distinct.add(part.slots[i] as number)
  distinct.delete(BASE)
  const slots = Float64Array.from(distinct).sort()
  const numberOf = new Map(Array.from(slots, (slot, i) => [slot, i]))
  return {
    slots,
    numbers: parts.map((part) => Int32Array.from(part.slots, (slot) => numberOf.get(slot) ?? -1)),
  }
}

/** Stands for all that was counted on the base day before the first slot. */
const BASE = 0

function* seriesOf(
  rollUp: RollUp,
  families: readonly SpanMetricFamily[],
  counts: SpanCounts,
  totals: Totals,
  isWanted: LabelsTest,
): Generator<{ readonly labels: Labels; readonly sums: RunningSums }> {
  const pairs = SPAN_METRIC_LABELS[rollUp].map(({ name }, i) => [name, counts.labels[i] ?? ''] as const)
  for (const { name, measure, nanosPerUnit } of families) {
    const named: readonly (readonly [string, string])[] = [[METRIC_NAME, name], ...pairs]
    if (measure !== 'bucket') {
      const labels = labelsFrom(named)
      if (isWanted(labels)) yield { labels, sums: runningSums(counts, totals, measure, nanosPerUnit) }
      continue
    }
    for (const [bound, nanos] of [...SPAN_BUCKET_BOUNDS, Number.POSITIVE_INFINITY].entries()) {
      const labels = labelsFrom([...named, ['le', formatBound(nanos / nanosPerUnit)]])
      if (isWanted(labels)) yield { labels, sums: runningSums(counts, totals, 'calls', 1, bound) }
    }
  }
}

/** `bound`: only calls in buckets up to that one. */
function runningSums(
  { parts }: SpanCounts,
  { slots, numbers }: Totals,
  measure: 'calls' | 'failed' | 'sum',
  nanosPerUnit: number,
  bound = Number.POSITIVE_INFINITY,
): RunningSums {
  const sums = new Float64Array(slots.length + 1)
  let base = 0
  for (const [i, part] of parts.entries()) {
    const values = measure === 'calls' ? part.calls : measure === 'failed' ? part.failed : part.nanos
    const places = numbers[i] ?? []
    for (let row = 0; row < values.length; row += 1) {
      if ((part.bounds[row] ?? 0) > bound) continue
      const place = places[row] as number
      const value = values[row] as number
      if (place === -1) base += value
      else sums[place + 1] = (sums[place + 1] as number) + value
    }
  }
  for (let i = 1; i < sums.length; i += 1) sums[i] = (sums[i] as number) + (sums[i - 1] as number)
  if (measure !== 'sum') return { sums, base }
  return { sums: sums.map((nanos) => nanos / nanosPerUnit), base: base / nanosPerUnit }
}

function toSeries(labels: Labels, { sums, base }: RunningSums, samples: readonly SlotSample[]): Series {
  const values = Float64Array.from(samples, ({ since, upTo, hasBase }) => {
    return (sums[upTo] as number) - (sums[since] as number) + (hasBase ? base : 0)
  })
  const hasStale = samples.some(({ isStale }) => isStale)
  return {
    labels,
    timestamps: Float64Array.from(samples, ({ timeMs }) => timeMs),
    values,
    stale: hasStale ? Uint8Array.from(samples, ({ isStale }) => (isStale ? 1 : 0)) : null,
  }
}
