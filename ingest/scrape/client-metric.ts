import type { HistogramSpan } from '../../model/float-histogram.ts'

/** A label as it is sent, valid text. */
export type ClientLabel = readonly [name: string, value: string]

/** An exemplar; `timestampMs` null: not told. */
export interface ClientExemplar {
  labels: ClientLabel[]
  value: number
  timestampMs: number | null
}

/** A bucket of a classic histogram: its count is cumulative. */
export interface ClientBucket {
  count: number
  /** Counts when it is not 0. */
  countFloat: number
  upperBound: number
  exemplar: ClientExemplar | null
}

/** Native buckets of one sign. */
export interface ClientSide {
  readonly spans: HistogramSpan[]
  readonly deltas: number[]
  readonly counts: number[]
}

/** `io.prometheus.client.Histogram`: a classic one, a native one, or both. */
export interface ClientHistogram {
  count: number
  countFloat: number
  sum: number
  readonly buckets: ClientBucket[]
  schema: number
  zeroThreshold: number
  zeroCount: number
  zeroCountFloat: number
  readonly positive: ClientSide
  readonly negative: ClientSide
  readonly exemplars: ClientExemplar[]
}

/** `io.prometheus.client.Summary`. */
export interface ClientSummary {
  count: number
  sum: number
  readonly quantiles: { quantile: number; value: number }[]
}

/** `io.prometheus.client.Metric`: what its family's type does not ask for stays as it is in the beginning. */
export interface ClientMetric {
  readonly labels: ClientLabel[]
  gauge: number
  counter: number
  untyped: number
  /** Of a counter. */
  exemplar: ClientExemplar | null
  readonly summary: ClientSummary
  readonly histogram: ClientHistogram
  /** 0: the scrape's time counts. */
  timestampMs: number
  /** When the counter, summary or histogram began to count; 0: not told. */
  startMs: { counter: number; summary: number; histogram: number }
}

/** The kinds of families, at their numbers in the protocol. */
export const FAMILY_TYPES = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'] as const

/** The kind of a family. */
export type FamilyType = (typeof FAMILY_TYPES)[number]

/** A family, which stands in `[start, end)` of its page, without its metrics. */
export interface ClientFamily {
  name: string
  help: string
  unit: string
  type: FamilyType
  readonly start: number
  readonly end: number
  metricCount: number
}

/** A metric of which nothing is told. */
export function emptyMetric(): ClientMetric {
  return {
    labels: [],
    gauge: 0,
    counter: 0,
    untyped: 0,
    exemplar: null,
    summary: { count: 0, sum: 0, quantiles: [] },
    histogram: {
      count: 0,
      countFloat: 0,
      sum: 0,
      buckets: [],
      schema: 0,
      zeroThreshold: 0,
      zeroCount: 0,
      zeroCountFloat: 0,
      positive: { spans: [], deltas: [], counts: [] },
      negative: { spans: [], deltas: [], counts: [] },
      exemplars: [],
    },
    timestampMs: 0,
    startMs: { counter: 0, summary: 0, histogram: 0 },
  }
}
