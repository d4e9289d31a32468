import type { MatrixSelector, VectorSelector } from '../ast.ts'
import { pickHistograms } from '../histogram-list.ts'
import type { Series } from '../series-source.ts'
import type { Evaluation } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries, isAnywhere, setHistogram } from './grid.ts'
import { referenceTime } from './plan-selectors.ts'

/** What is asked of the sample that a selector finds. */
type Wanted = 'samples' | 'times' | 'starts'

/**
 * An instant selector on a grid: at each moment the newest sample that is not older than the lookback, unless it says that the series
 * has ended. With `wanted` the values are the samples' times, or when what they count began (0: not known), in seconds.
 */
export async function evaluateSelector(
  run: Evaluation,
  node: VectorSelector,
  grid: Grid,
  wanted: Wanted = 'samples',
): Promise<GridSeries[]> {
  const found: GridSeries[] = []
  const ends = Float64Array.from({ length: grid.count }, (_, i) => referenceTime(node, grid, i, run.top))
  for (const series of run.samples.get(node) ?? []) {
    const result = emptySeries(series.labels, false, grid)
    fillLatest(series, ends, run.lookbackMs, result, wanted)
    if (isAnywhere(result)) found.push(result)
    // Too many are refused before memory has been taken for all.
    run.spend(found.length * grid.count)
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  return found
}

/** What an instant selector finds of one series at the moments `ends`, which ascend; all in milliseconds. */
export function fillLatest(
  { timestamps, values, stale, histograms, starts }: Series,
  ends: Float64Array,
  lookbackMs: number,
  result: GridSeries,
  wanted: Wanted = 'samples',
): void {
  let next = 0
  for (let i = 0; i < ends.length; i += 1) {
    const atMs = ends[i] as number
    while (next < timestamps.length && (timestamps[next] as number) <= atMs) next += 1
    const latest = next - 1
    if (latest < 0 || stale?.[latest] === 1) continue
    const time = timestamps[latest] as number
    if (time <= atMs - lookbackMs) continue
    result.present[i] = 1
    if (wanted === 'times') result.values[i] = time / 1000
    else result.values[i] = wanted === 'starts' ? (starts?.[latest] ?? 0) / 1000 : (values[latest] as number)
    if (wanted === 'samples' && histograms?.has(latest)) setHistogram(result, i, histograms.at(latest))
  }
}

/** The samples of a range selector's series, those left out that only say that a series has ended. */
export function samplesOf(run: Evaluation, node: MatrixSelector): Series[] {
  return (run.samples.get(node.selector) ?? []).map(withoutStale)
}

/** A series without the samples that only say that it has ended. */
export function withoutStale(series: Series): Series {
  const { labels, stale, timestamps, values, histograms, starts } = series
  if (stale === null) return series
  return {
    labels,
    timestamps: realOf(timestamps, stale),
    values: realOf(values, stale),
    stale: null,
    histograms: histograms == null ? null : pickHistograms(histograms, realPlaces(stale)),
    starts: starts == null ? null : realOf(starts, stale),
  }
}

function realPlaces(stale: Uint8Array): Int32Array {
  const places = new Int32Array(stale.length)
  let count = 0
  for (let i = 0; i < stale.length; i += 1) if (stale[i] !== 1) places[count++] = i
  return places.subarray(0, count)
}

/** A call for each sample would take ten times as long. */
function realOf(numbers: Float64Array, stale: Uint8Array): Float64Array {
  const real = new Float64Array(numbers.length)
  let count = 0
  for (let i = 0; i < numbers.length; i += 1) {
    if (stale[i] !== 1) real[count++] = numbers[i] as number
  }
  return real.subarray(0, count)
}
