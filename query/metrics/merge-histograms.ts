import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { Series } from '../promql/series-source.ts'
import type { HistogramSample } from './collect-series.ts'

/**
 * A series with histograms put among its numbers. A histogram takes the place of what else there is at its time; of several histograms the one
 * of the most observations counts.
 */
export function mergeHistograms(numbers: Series, samples: readonly HistogramSample[]): Series {
  const chosen = new Map<number, HistogramSample>()
  for (const sample of samples) {
    const before = chosen.get(sample.timeMs)
    if (before === undefined || isGreater(sample.histogram, before.histogram))
      chosen.set(sample.timeMs, sample)
  }
  const rows: {
    timeMs: number
    value: number
    stale: number
    histogram: FloatHistogram | null
    startMs: number
  }[] = []
  for (let i = 0; i < numbers.timestamps.length; i += 1) {
    const timeMs = numbers.timestamps[i] as number
    if (chosen.has(timeMs)) continue
    const value = numbers.values[i] as number
    const startMs = numbers.starts?.[i] ?? 0
    rows.push({ timeMs, value, stale: numbers.stale?.[i] ?? 0, histogram: null, startMs })
  }
  for (const { timeMs, histogram, startMs } of chosen.values()) {
    rows.push({ timeMs, value: 0, stale: 0, histogram, startMs })
  }
  rows.sort((a, b) => a.timeMs - b.timeMs)
  return {
    labels: numbers.labels,
    timestamps: Float64Array.from(rows, ({ timeMs }) => timeMs),
    values: Float64Array.from(rows, ({ value }) => value),
    stale: rows.some(({ stale }) => stale === 1) ? Uint8Array.from(rows, ({ stale }) => stale) : null,
    histograms: rows.map(({ histogram }) => histogram),
    ...(rows.some(({ startMs }) => startMs !== 0)
      ? { starts: Float64Array.from(rows, ({ startMs }) => startMs) }
      : {}),
  }
}

function isGreater(a: FloatHistogram, b: FloatHistogram): boolean {
  if (a.count !== b.count) return a.count > b.count || Number.isNaN(b.count)
  return a.sum > b.sum || (Number.isNaN(b.sum) && !Number.isNaN(a.sum))
}
