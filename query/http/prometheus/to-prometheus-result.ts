import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { type HistogramJson, histogramJson } from '../../../model/histogram/histogram-json.ts'
import { labelsToRecord } from '../../../model/labels.ts'
import { formatFloat } from '../../promql/format-float.ts'
import type { MatrixSeries, QueryResult } from '../../promql/query-engine.ts'

/** A sample as Prometheus' API writes it: Unix seconds, and the number as text. */
export type SampleJson = readonly [number, string]

/** The same for a native histogram. */
export type HistogramSampleJson = readonly [number, HistogramJson]

/** One element of an instant vector: a number or a native histogram. */
export type ElementJson = { readonly metric: Readonly<Record<string, string>> } & (
  | { readonly value: SampleJson }
  | { readonly histogram: HistogramSampleJson }
)

/** One series of a matrix. A member without points is left out, but for `values` when both are. */
export interface SeriesJson {
  readonly metric: Readonly<Record<string, string>>
  readonly values?: readonly SampleJson[]
  readonly histograms?: readonly HistogramSampleJson[]
}

/** What Prometheus' API answers to a query. */
export type ResultJson =
  | { readonly resultType: 'scalar' | 'string'; readonly result: SampleJson }
  | { readonly resultType: 'vector'; readonly result: readonly ElementJson[] }
  | { readonly resultType: 'matrix'; readonly result: readonly SeriesJson[] }

/** A result in the form of Prometheus' API. At most `limit` series (null: all). */
export function toPrometheusResult(result: QueryResult, limit: number | null): ResultJson {
  const end = limit ?? Number.POSITIVE_INFINITY
  switch (result.type) {
    case 'string':
      return { resultType: 'string', result: [result.timestampMs / 1000, result.value] }
    case 'scalar':
      // Prometheus writes a scalar without exponent, unlike samples.
      return { resultType: 'scalar', result: [result.timestampMs / 1000, formatFloat(result.value, 'plain')] }
    case 'vector':
      return {
        resultType: 'vector',
        result: result.vector
          .slice(0, end)
          .map(({ labels, timestampMs, value, histogram }) =>
            histogram === undefined
              ? { metric: labelsToRecord(labels), value: sample(timestampMs, value) }
              : { metric: labelsToRecord(labels), histogram: histogramSample(timestampMs, histogram) },
          ),
      }
    case 'matrix':
      return { resultType: 'matrix', result: result.matrix.slice(0, end).map(seriesJson) }
  }
}

/** How many series a result has. */
export function seriesCount(result: QueryResult): number {
  return result.type === 'vector' ? result.vector.length : result.type === 'matrix' ? result.matrix.length : 1
}

function seriesJson({ labels, timestamps, values, histograms }: MatrixSeries): SeriesJson {
  const numbers: SampleJson[] = []
  const others: HistogramSampleJson[] = []
  timestamps.forEach((timestampMs, i) => {
    const histogram = histograms?.[i] ?? null
    if (histogram === null) numbers.push(sample(timestampMs, values[i] as number))
    else others.push(histogramSample(timestampMs, histogram))
  })
  return {
    metric: labelsToRecord(labels),
    ...(numbers.length > 0 || others.length === 0 ? { values: numbers } : {}),
    ...(others.length > 0 ? { histograms: others } : {}),
  }
}

function sample(timestampMs: number, value: number): SampleJson {
  return [timestampMs / 1000, formatFloat(value)]
}

function histogramSample(timestampMs: number, histogram: FloatHistogram): HistogramSampleJson {
  return [timestampMs / 1000, histogramJson(histogram, formatFloat)]
}
