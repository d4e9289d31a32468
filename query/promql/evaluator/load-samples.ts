import { type Labels, labelsKey } from '../../../model/labels.ts'
import type { Expr, VectorSelector } from '../ast.ts'
import { histogramList, placesOf } from '../histogram-list.ts'
import { printExpression } from '../print-expression.ts'
import type { InstantQuery, RangeQuery } from '../query-engine.ts'
import type { PlanStatement } from '../query-plan.ts'
import type { Series, SeriesSelection, SeriesSource } from '../series-source.ts'
import { tooManySamples } from '../too-many-samples.ts'
import { type PlannedSelector, type PlanOptions, planSelectors } from './plan-selectors.ts'

/** What is loaded, and for which selectors it is not needed. */
export interface SampleOptions extends PlanOptions {
  readonly maxSamples: number
  /** What all selections have in common. */
  readonly common: Omit<SeriesSelection, 'matchers' | 'fromMs' | 'toMs'>
  /** Selectors that need no samples. */
  readonly answered: ReadonlySet<VectorSelector>
  /** Why samples are needed of others, for the query's trace. */
  readonly reasons: ReadonlyMap<VectorSelector, string>
}

/**
 * Gets the samples of every selector of a query, from the source and the query's overlay; the same selection once. Throws RESULT_TOO_LARGE when all
 * selectors together have more than `maxSamples`, and what the source throws.
 */
export async function loadSamples(
  source: SeriesSource,
  query: InstantQuery | RangeQuery,
  expr: Expr,
  options: SampleOptions,
): Promise<ReadonlyMap<VectorSelector, readonly Series[]>> {
  const planned = planSelectors(expr, options.top, options).filter(
    ({ selector }) => !options.answered.has(selector),
  )
  const once = new Map<string, Promise<readonly Series[]>>()
  let total = 0
  const loaded = planned.map(async (one) => {
    const key = JSON.stringify([one.fromMs, one.toMs, one.selector.matchers])
    const before = once.get(key)
    const loading = before ?? loadSelector(source, query, one, options)
    once.set(key, loading)
    const series = await loading
    for (const each of series) total += sizeOf(each)
    if (total > options.maxSamples) {
      throw tooManySamples()
    }
    return [one.selector, series] as const
  })
  return new Map(await Promise.all(loaded))
}

async function loadSelector(
  source: SeriesSource,
  { overlay, trace }: InstantQuery | RangeQuery,
  { selector, fromMs, toMs }: PlannedSelector,
  { common, reasons }: SampleOptions,
): Promise<readonly Series[]> {
  const statements: PlanStatement[] = []
  const selection: SeriesSelection = {
    ...common,
    matchers: selector.matchers,
    fromMs,
    toMs,
    ...(trace === undefined ? {} : { onStatement: (statement) => void statements.push(statement) }),
  }
  const isComplete = overlay?.isComplete?.(selection) === true
  const stored = isComplete ? [] : await source.selectSeries(selection)
  trace?.add({
    expr: printExpression(selector),
    path: 'raw',
    reason: reasons.get(selector) ?? 'samples are needed here',
    series: stored.length,
    samples: stored.reduce((sum, { timestamps }) => sum + timestamps.length, 0),
    statements,
  })
  const recent = overlay?.selectSeries(selection) ?? []
  return recent.length === 0 ? stored : mergeSeries(stored, recent)
}

/** Makes one series of those with equal labels; at equal times the later list's sample counts. */
export function mergeSeries(...lists: readonly (readonly Series[])[]): readonly Series[] {
  const byLabels = new Map<string, Series[]>()
  for (const series of lists.flat()) {
    const key = labelsKey(series.labels)
    const group = byLabels.get(key)
    if (group === undefined) byLabels.set(key, [series])
    else group.push(series)
  }
  return [...byLabels.values()].map((group) => {
    const [only] = group
    return group.length === 1 && only !== undefined ? only : mergeSamples(only?.labels ?? [], group)
  })
}

/** How many samples a series has, as they are counted against the limit. */
function sizeOf({ timestamps, histograms }: Series): number {
  if (histograms == null) return timestamps.length
  return timestamps.length - placesOf(histograms, true).length + histograms.size
}

function mergeSamples(labels: Labels, group: readonly Series[]): Series {
  const samples = group.flatMap(({ timestamps, values, stale, histograms, starts }) =>
    Array.from(timestamps, (time, i) => ({
      time,
      value: values[i] as number,
      isStale: stale?.[i] === 1,
      histogram: histograms?.has(i) ? histograms.at(i) : null,
      start: starts?.[i] ?? 0,
    })),
  )
  samples.sort((a, b) => a.time - b.time)
  // The sort is stable, so the last of equal times is the one of the last list.
  const kept = samples.filter(({ time }, i) => samples[i + 1]?.time !== time)
  return {
    labels,
    timestamps: Float64Array.from(kept, ({ time }) => time),
    values: Float64Array.from(kept, ({ value }) => value),
    stale: kept.some(({ isStale }) => isStale)
      ? Uint8Array.from(kept, ({ isStale }) => Number(isStale))
      : null,
    histograms: kept.some(({ histogram }) => histogram !== null)
      ? histogramList(kept.map(({ histogram }) => histogram))
      : null,
    starts: kept.some(({ start }) => start !== 0) ? Float64Array.from(kept, ({ start }) => start) : null,
  }
}
