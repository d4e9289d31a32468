import type { MatrixSelector, VectorSelector } from '../ast.ts'
import type { Series } from '../series-source.ts'
import type { Evaluation } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, setHistogram } from './grid.ts'
import { referenceTime } from './plan-selectors.ts'

/**
 * An instant selector on a grid: at each moment the newest sample that is not older than the lookback, unless it says that the series
 * has ended. With `wantsTimes` the values are the samples' times in seconds: what `timestamp` gives.
 */
export async function evaluateSelector(
  run: Evaluation,
  node: VectorSelector,
  grid: Grid,
  wantsTimes = false,
): Promise<GridSeries[]> {
  const found: GridSeries[] = []
  for (const series of run.samples.get(node) ?? []) {
    const result = emptySeries(series.labels, false, grid)
    fillLatest(run, node, grid, series, result, wantsTimes)
    if (isAnywhere(result)) found.push(result)
    await run.breathe()
  }
  return found
}

function fillLatest(
  run: Evaluation,
  node: VectorSelector,
  grid: Grid,
  { timestamps, values, stale, histograms }: Series,
  result: GridSeries,
  wantsTimes: boolean,
): void {
  let next = 0
  for (let i = 0; i < grid.count; i += 1) {
    const atMs = referenceTime(node, grid, i, run.top)
    while (next < timestamps.length && (timestamps[next] as number) <= atMs) next += 1
    const latest = next - 1
    if (latest < 0 || stale?.[latest] === 1) continue
    const time = timestamps[latest] as number
    if (time <= atMs - run.lookbackMs) continue
    result.present[i] = 1
    result.values[i] = wantsTimes ? time / 1000 : (values[latest] as number)
    const histogram = wantsTimes ? null : histograms?.[latest]
    if (histogram != null) setHistogram(result, i, histogram)
  }
}

/** The samples of a range selector's series, those left out that only say that a series has ended. */
export function samplesOf(run: Evaluation, node: MatrixSelector): Series[] {
  return (run.samples.get(node.selector) ?? []).map((series) => {
    const { labels, stale, timestamps, values, histograms, starts } = series
    if (stale === null) return series
    const isReal = (_: unknown, index: number) => stale[index] !== 1
    return {
      labels,
      timestamps: timestamps.filter(isReal),
      values: values.filter(isReal),
      stale: null,
      histograms: histograms?.filter(isReal) ?? null,
      starts: starts?.filter(isReal) ?? null,
    }
  })
}
