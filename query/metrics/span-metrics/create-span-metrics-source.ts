import { compareLabels, type Labels, labelsFrom, METRIC_NAME } from '../../../model/labels.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { Storage } from '../../../storage/storage.ts'
import { formatBound } from '../../promql/format-float.ts'
import type { RankedSeries, Series, SeriesSelection, SeriesStream } from '../../promql/series-source.ts'
import { tooManySamples } from '../../promql/too-many-samples.ts'
import type { RollUp } from '../../traces/roll-up-source.ts'
import { matchesAll } from '../expand-series.ts'
import { storableRange } from '../read-samples.ts'
import { watchStatements } from '../watch-statements.ts'
import { readSpanCounts, type SpanCounts } from './read-span-counts.ts'
import { matchingFamilies } from './span-metric-conditions.ts'
import { SPAN_BUCKET_BOUNDS, type SpanMetricFamily } from './span-metric-families.ts'
import { SPAN_METRIC_LABELS } from './span-metric-labels.ts'
import { type SlotSample, walkSpanSlots } from './walk-span-slots.ts'

/** A source of series made of spans. */
export interface SpanMetricsSource {
  /** See `SeriesSource`. */
  selectSeries(selection: SeriesSelection): Promise<Series[]>
  /** See `SeriesSource`. */
  streamSeries(selection: SeriesSelection): Promise<SeriesStream>
}

/**
 * Counters and histograms made of the roll-ups of spans when they are asked for: `traces_spanmetrics_…` and `traces_service_graph_…`. See
 * {@link walkSpanSlots} for when they have samples and where they begin. Selections that cannot match any of them ask nothing of the storage.
 */
export function createSpanMetricsSource(storage: Storage, clock: Clock): SpanMetricsSource {
  return {
    async selectSeries(selection) {
      const { maxSamples = Number.POSITIVE_INFINITY } = selection
      const found: Series[] = []
      let samples = 0
      for (const { labelled, of } of await readGroups(storage, clock, selection)) {
        for (const one of labelled) {
          const series = of(one)
          samples += series.timestamps.length
          if (samples > maxSamples) throw tooManySamples()
          found.push(series)
        }
      }
      return found
    },
    async streamSeries(selection) {
      const groups = await readGroups(storage, clock, selection)
      const inOrder = groups
        .flatMap(({ labelled }) => labelled)
        .sort((a, b) => compareLabels(a.labels, b.labels))
      const ranks = new Map(inOrder.map((one, rank) => [one, rank]))
      async function* batches(): AsyncGenerator<readonly RankedSeries[]> {
        for (const { labelled, of } of groups) {
          yield labelled
            .map((one) => ({ rank: ranks.get(one) ?? 0, series: of(one) }))
            .sort((a, b) => a.rank - b.rank)
        }
      }
      const families = new Set(inOrder.map(({ family }) => family))
      return { isOneMetric: families.size <= 1, isEmpty: inOrder.length === 0, batches: batches() }
    },
  }
}

/** What calls with the same labels were counted into, made one by one: all of them together are many times what was read. */
interface SeriesGroup {
  readonly labelled: readonly LabelledCounter[]
  of(one: LabelledCounter): Series
}

/** A series before its samples are made. */
interface LabelledCounter {
  readonly labels: Labels
  readonly family: SpanMetricFamily
  /** Only calls in buckets up to that one. */
  readonly bound: number
}

async function readGroups(
  storage: Storage,
  clock: Clock,
  selection: SeriesSelection,
): Promise<readonly SeriesGroup[]> {
  const families = matchingFamilies(selection.matchers)
  const watched = watchStatements(storage, clock, selection.onStatement)
  const groups: SeriesGroup[] = []
  for (const rollUp of ['red', 'edges'] as const) {
    const wanted = families.filter((family) => family.rollUp === rollUp)
    if (wanted.length > 0) groups.push(...(await readRollUp(watched, selection, rollUp, wanted)))
  }
  return groups
}

async function readRollUp(
  storage: Storage,
  selection: SeriesSelection,
  rollUp: RollUp,
  families: readonly SpanMetricFamily[],
): Promise<readonly SeriesGroup[]> {
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
  const groups: SeriesGroup[] = []
  for (const one of counts) {
    const totals = totalsOf(one)
    const samples = sampleColumns(totals.slots, { ...range, baseDay })
    const labelled = [...labelledCounters(rollUp, families, one)].filter(({ labels }) => isWanted(labels))
    if (samples.times.length === 0 || labelled.length === 0) continue
    groups.push({
      labelled,
      of: ({ labels, family, bound }) => toSeries(labels, runningSums(one, totals, family, bound), samples),
    })
  }
  return groups
}

/** When counters over the same slots have samples, and of which slots. */
interface SampleColumns {
  readonly times: Float64Array
  readonly since: Uint32Array
  readonly upTo: Uint32Array
  /** 1: with the base. */
  readonly base: Uint8Array
  /** 1: the series ends here; null: nowhere. */
  readonly stale: Uint8Array | null
}

function sampleColumns(slots: Float64Array, range: Parameters<typeof walkSpanSlots>[1]): SampleColumns {
  const samples: SlotSample[] = []
  walkSpanSlots(slots, range, (sample) => samples.push(sample))
  const count = samples.length
  const columns = {
    times: new Float64Array(count),
    since: new Uint32Array(count),
    upTo: new Uint32Array(count),
    base: new Uint8Array(count),
    stale: new Uint8Array(count),
  }
  for (let i = 0; i < count; i += 1) {
    const sample = samples[i] as SlotSample
    columns.times[i] = sample.timeMs
    columns.since[i] = sample.since
    columns.upTo[i] = sample.upTo
    columns.base[i] = sample.hasBase ? 1 : 0
    columns.stale[i] = sample.isStale ? 1 : 0
  }
  return columns.stale.includes(1) ? columns : { ...columns, stale: null }
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

function* labelledCounters(
  rollUp: RollUp,
  families: readonly SpanMetricFamily[],
  counts: SpanCounts,
): Generator<LabelledCounter> {
  const pairs = SPAN_METRIC_LABELS[rollUp].map(({ name }, i) => [name, counts.labels[i] ?? ''] as const)
  for (const family of families) {
    const named: readonly (readonly [string, string])[] = [[METRIC_NAME, family.name], ...pairs]
    if (family.measure !== 'bucket') {
      yield { labels: labelsFrom(named), family, bound: Number.POSITIVE_INFINITY }
      continue
    }
    for (const [bound, nanos] of [...SPAN_BUCKET_BOUNDS, Number.POSITIVE_INFINITY].entries()) {
      yield {
        labels: labelsFrom([...named, ['le', formatBound(nanos / family.nanosPerUnit)]]),
        family,
        bound,
      }
    }
  }
}

function runningSums(
  { parts }: SpanCounts,
  { slots, numbers }: Totals,
  { measure, nanosPerUnit }: SpanMetricFamily,
  bound: number,
): RunningSums {
  const sums = new Float64Array(slots.length + 1)
  let base = 0
  for (const [i, part] of parts.entries()) {
    const values = measure === 'failed' ? part.failed : measure === 'sum' ? part.nanos : part.calls
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

function toSeries(labels: Labels, { sums, base }: RunningSums, samples: SampleColumns): Series {
  const { times, since, upTo, stale } = samples
  const values = new Float64Array(times.length)
  for (let i = 0; i < values.length; i += 1) {
    const counted = (sums[upTo[i] as number] as number) - (sums[since[i] as number] as number)
    values[i] = samples.base[i] === 1 ? counted + base : counted
  }
  return { labels, timestamps: times, values, stale }
}
