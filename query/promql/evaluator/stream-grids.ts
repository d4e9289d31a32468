import { type Labels, labelValue, METRIC_NAME, NO_LABELS } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { GridRequest, GridSeriesAnswer, Series, SeriesStream } from '../series-source.ts'
import { tooManySamples } from '../too-many-samples.ts'
import { createGrouping } from './aggregate.ts'
import { createAnnotations } from './annotations.ts'
import { createWindows, rangeFunctions } from './evaluate-range-function.ts'
import { fillLatest, withoutStale } from './evaluate-selector.ts'
import type { Evaluation } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere } from './grid.ts'
import { GROUP_REDUCERS, type GroupReducer } from './group-reducers.ts'
import type { GridUnit } from './plan-grids.ts'
import { type PlanOptions, referenceTime } from './plan-selectors.ts'

/** What a streamed computation needs to know of its query. */
export interface StreamOptions extends Pick<PlanOptions, 'top' | 'lookbackMs'>, Pick<Evaluation, 'breathe'> {
  readonly maxSamples: number
}

/** The values of units, and what they were computed from. */
export interface StreamedGrids {
  readonly samples: number
  /** As they were asked for. */
  readonly units: readonly StreamedUnit[]
}

/** The values of a unit. */
export interface StreamedUnit {
  readonly unit: GridUnit
  /** Of series sorted by labels; of groups in the order in which sorted series meet them. */
  readonly series: readonly GridSeriesAnswer[]
  /** The names of the series that have values. */
  readonly metrics: readonly string[]
}

/** Takes the values of series in. */
interface Sink {
  /** Where the next series' values are to be written: nothing is present. */
  next(labels: Labels): GridSeries
  /** Takes what was written; not called where nothing was. */
  take(result: GridSeries, rank: number): void
  finish(): readonly GridSeriesAnswer[]
}

/**
 * Computes units of the same selection from each series as soon as it is there, and lets its samples go: while the next ones are read, and with less
 * memory. Sums are those of the evaluation but for the order in which batches add to them. Throws RESULT_TOO_LARGE when the values of a unit are more
 * than `maxSamples`, and what the stream throws.
 */
export async function computeStream(
  { batches }: SeriesStream,
  units: readonly GridUnit[],
  options: StreamOptions,
): Promise<StreamedGrids> {
  const parts = units.map((unit) => computation(unit, options))
  let samples = 0
  for await (const batch of batches) {
    for (const { rank, series } of batch) {
      samples += series.timestamps.length
      for (const part of parts) part.take(series, rank)
      const rest = options.breathe()
      if (rest !== undefined) await rest
    }
  }
  return { samples, units: parts.map((part) => part.finish()) }
}

interface Computation {
  take(series: Series, rank: number): void
  finish(): StreamedUnit
}

function computation(unit: GridUnit, options: StreamOptions): Computation {
  const compute = computerOf(unit, options)
  const { aggregate } = unit.request
  const sink = aggregate === null ? keepAll(unit.grid, options.maxSamples) : addUp(aggregate, unit.grid)
  const metrics = new Set<string>()
  return {
    take(series, rank) {
      const result = sink.next(series.labels)
      compute(series, result)
      if (!isAnywhere(result)) return
      sink.take(result, rank)
      metrics.add(labelValue(series.labels, METRIC_NAME))
    },
    finish: () => ({ unit, series: sink.finish(), metrics: [...metrics] }),
  }
}

/** Series whose values stand in one piece of memory, and values of one piece. */
const SERIES_AT_ONCE = 128
const MOST_AT_ONCE = 200_000

function keepAll(grid: Grid, maxSamples: number): Sink {
  const ranked: (GridSeriesAnswer | undefined)[] = []
  const { count } = grid
  // Many small pieces of memory take more of it than they are long.
  const size = Math.max(1, Math.min(SERIES_AT_ONCE, Math.floor(MOST_AT_ONCE / count)))
  let block = { values: new Float64Array(0), present: new Uint8Array(0), used: size }
  let unused: GridSeries | null = null
  let found = 0
  return {
    next(labels) {
      if (unused === null && block.used === size) {
        block = { values: new Float64Array(size * count), present: new Uint8Array(size * count), used: 0 }
      }
      const at = block.used * count
      unused = {
        labels,
        dropName: false,
        values: block.values.subarray(at, at + count),
        present: block.present.subarray(at, at + count),
        histograms: null,
      }
      return unused
    },
    take({ labels, values, present }, rank) {
      unused = null
      block.used += 1
      found += 1
      if (found * grid.count > maxSamples) throw tooManySamples()
      while (ranked.length < rank) ranked.push(undefined)
      ranked[rank] = { labels, values, present }
    },
    finish: () => ranked.filter((one) => one !== undefined),
  }
}

function addUp({ op, ...grouping }: NonNullable<GridRequest['aggregate']>, grid: Grid): Sink {
  const { keyOf, labelsOf } = createGrouping({ ...grouping, grouping: [...grouping.grouping] })
  const groups = new Map<string, { labels: Labels; least: number; reducer: GroupReducer }>()
  const scratch = emptySeries(NO_LABELS, false, grid)
  return {
    next(labels) {
      scratch.present.fill(0)
      return { ...scratch, labels }
    },
    take(result, rank) {
      const key = keyOf(result.labels)
      let group = groups.get(key)
      if (group === undefined) {
        group = { labels: labelsOf(result.labels), least: rank, reducer: GROUP_REDUCERS[op](grid.count) }
        groups.set(key, group)
      }
      group.least = Math.min(group.least, rank)
      group.reducer.add(result)
    },
    finish: () =>
      [...groups.values()]
        .sort((a, b) => a.least - b.least)
        .map(({ labels, reducer }) => {
          const result = emptySeries(labels, false, grid)
          reducer.finish(result)
          return { labels, values: result.values, present: result.present }
        }),
  }
}

/** Makes the function that writes a unit's values of one series. */
function computerOf(
  { name, selector, range, grid, parameters }: GridUnit,
  { top, lookbackMs }: StreamOptions,
): (series: Series, result: GridSeries) => void {
  if (range === null) {
    const ends = Float64Array.from({ length: grid.count }, (_, i) => referenceTime(selector, grid, i, top))
    return (series, result) => fillLatest(series, ends, lookbackMs, result)
  }
  const functions = rangeFunctions(name)
  if (functions === undefined)
    throw new AppError('INTERNAL', `Cannot compute ${name}: it is no function of a range`)
  // Without native histograms and start times there is nothing to note.
  const run = { top, lookbackMs, notes: createAnnotations('') }
  const everywhere = parameters.map((value) => new Float64Array(grid.count).fill(value))
  const windowsOf = createWindows(run, range, grid, everywhere, range)
  return (series, result) => functions.floats(windowsOf(withoutStale(series)), result)
}
