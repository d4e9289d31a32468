import { type Labels, labelsKey } from '../../../model/labels.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { Expr, VectorSelector } from '../ast.ts'
import type { InstantQuery, RangeQuery } from '../query-engine.ts'
import type { Series, SeriesSource } from '../series-source.ts'
import { type PlanOptions, planSelectors } from './plan-selectors.ts'
import { sampleSize } from './sample-size.ts'

/**
 * Gets the samples of every selector of a query, from the source and the query's overlay. Throws RESULT_TOO_LARGE when all selectors
 * together have more than `maxSamples`, and what the source throws.
 */
export async function loadSamples(
  source: SeriesSource,
  query: InstantQuery | RangeQuery,
  expr: Expr,
  options: PlanOptions & { readonly maxSamples: number },
): Promise<ReadonlyMap<VectorSelector, readonly Series[]>> {
  const { tenant, overlay, signal } = query
  const planned = planSelectors(expr, options.top, options)
  let total = 0
  const loaded = planned.map(async ({ selector, fromMs, toMs }) => {
    const selection = {
      tenant,
      matchers: selector.matchers,
      fromMs,
      toMs,
      maxSamples: options.maxSamples,
      ...(signal === undefined ? {} : { signal }),
    }
    const isComplete = overlay?.isComplete?.(selection) === true
    const stored = isComplete ? [] : await source.selectSeries(selection)
    const series = overlay === undefined ? stored : mergeSeries(stored, overlay.selectSeries(selection))
    for (const one of series) total += sizeOf(one)
    if (total > options.maxSamples) {
      throw new AppError(
        'RESULT_TOO_LARGE',
        'query processing would load too many samples into memory in query execution',
      )
    }
    return [selector, series] as const
  })
  return new Map(await Promise.all(loaded))
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
  let size = timestamps.length
  if (histograms == null) return size
  for (const histogram of histograms) if (histogram !== null) size += sampleSize(histogram) - 1
  return size
}

function mergeSamples(labels: Labels, group: readonly Series[]): Series {
  const samples = group.flatMap(({ timestamps, values, stale, histograms, starts }) =>
    Array.from(timestamps, (time, i) => ({
      time,
      value: values[i] as number,
      isStale: stale?.[i] === 1,
      histogram: histograms?.[i] ?? null,
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
      ? kept.map(({ histogram }) => histogram)
      : null,
    starts: kept.some(({ start }) => start !== 0) ? Float64Array.from(kept, ({ start }) => start) : null,
  }
}
