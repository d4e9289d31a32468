import { type Labels, labelsToRecord } from '../../../model/labels.ts'
import { formatFloat } from '../../promql/format-float.ts'
import type { QueryResult } from '../../promql/query-engine.ts'

/** A sample as Prometheus' API writes it: Unix seconds, and the number as text. */
export type SampleJson = readonly [number, string]

/** What Prometheus' API answers to a query. */
export type ResultJson =
  | { readonly resultType: 'scalar' | 'string'; readonly result: SampleJson }
  | {
      readonly resultType: 'vector'
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>
        readonly value: SampleJson
      }[]
    }
  | {
      readonly resultType: 'matrix'
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>
        readonly values: readonly SampleJson[]
      }[]
    }

/** A result in the form of Prometheus' API. At most `limit` series (null: all). */
export function toPrometheusResult(result: QueryResult, limit: number | null): ResultJson {
  const end = limit ?? Number.POSITIVE_INFINITY
  switch (result.type) {
    case 'string':
      return { resultType: 'string', result: [result.timestampMs / 1000, result.value] }
    case 'scalar':
      return { resultType: 'scalar', result: sample(result.timestampMs, result.value) }
    case 'vector':
      return {
        resultType: 'vector',
        result: result.vector.slice(0, end).map(({ labels, timestampMs, value }) => ({
          metric: metric(labels),
          value: sample(timestampMs, value),
        })),
      }
    case 'matrix':
      return {
        resultType: 'matrix',
        result: result.matrix.slice(0, end).map(({ labels, timestamps, values }) => ({
          metric: metric(labels),
          values: Array.from(timestamps, (timestampMs, i) => sample(timestampMs, values[i] as number)),
        })),
      }
  }
}

/** How many series a result has. */
export function seriesCount(result: QueryResult): number {
  return result.type === 'vector' ? result.vector.length : result.type === 'matrix' ? result.matrix.length : 1
}

function metric(labels: Labels): Readonly<Record<string, string>> {
  return labelsToRecord(labels)
}

function sample(timestampMs: number, value: number): SampleJson {
  return [timestampMs / 1000, formatFloat(value)]
}
