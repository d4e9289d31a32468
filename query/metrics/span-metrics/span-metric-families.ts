import type { RollUp } from '../../traces/roll-up-source.ts'

/** What of the roll-ups a family of series tells. */
export type SpanMeasure = 'calls' | 'failed' | 'sum' | 'bucket'

/** All series of one name. */
export interface SpanMetricFamily {
  readonly name: string
  readonly rollUp: RollUp
  readonly measure: SpanMeasure
  /** Nanoseconds in the unit of `le` and of sums of durations. */
  readonly nanosPerUnit: number
}

/** What is known of the families of one metric, for the list of metadata. */
export interface SpanMetricDescription {
  /** Of histograms without suffix. */
  readonly name: string
  readonly type: 'counter' | 'histogram'
  readonly help: string
  readonly unit: string
}

const MILLISECOND = 1e6
const SECOND = 1e9

/** The metrics that are made of spans, by the names that Tempo's metrics generator and the span metrics connector of OpenTelemetry give. */
export const SPAN_METRIC_DESCRIPTIONS: readonly SpanMetricDescription[] = [
  { name: 'traces_spanmetrics_calls_total', type: 'counter', help: 'Spans', unit: '' },
  {
    name: 'traces_spanmetrics_duration_milliseconds',
    type: 'histogram',
    help: 'Durations of spans',
    unit: 'milliseconds',
  },
  { name: 'traces_spanmetrics_latency', type: 'histogram', help: 'Durations of spans', unit: 'seconds' },
  {
    name: 'traces_service_graph_request_total',
    type: 'counter',
    help: 'Requests from one service to another',
    unit: '',
  },
  {
    name: 'traces_service_graph_request_failed_total',
    type: 'counter',
    help: 'Requests from one service to another that failed',
    unit: '',
  },
  {
    name: 'traces_service_graph_request_client_seconds',
    type: 'histogram',
    help: 'Durations of requests from one service to another, as the caller measured them',
    unit: 'seconds',
  },
  {
    name: 'traces_service_graph_request_server_seconds',
    type: 'histogram',
    help: 'Durations of requests from one service to another, as the caller measured them',
    unit: 'seconds',
  },
]

/** All families, histograms as their three. */
export const SPAN_METRIC_FAMILIES: readonly SpanMetricFamily[] = SPAN_METRIC_DESCRIPTIONS.flatMap(
  ({ name, type, unit }): SpanMetricFamily[] => {
    const rollUp: RollUp = name.startsWith('traces_service_graph_') ? 'edges' : 'red'
    const nanosPerUnit = unit === 'milliseconds' ? MILLISECOND : SECOND
    const of = (suffix: string, measure: SpanMeasure): SpanMetricFamily => ({
      name: `${name}${suffix}`,
      rollUp,
      measure,
      nanosPerUnit,
    })
    if (type === 'histogram') return [of('_bucket', 'bucket'), of('_sum', 'sum'), of('_count', 'calls')]
    return [of('', name.endsWith('_failed_total') ? 'failed' : 'calls')]
  },
)

/** The exponent of the first of {@link SPAN_BUCKET_BOUNDS}. */
export const FIRST_BOUND_POWER = 17

/**
 * Upper bounds of the buckets, nanoseconds: powers of two from 0.13 milliseconds to 69 seconds, because the roll-ups count in quarter powers of two and
 * every fourth of their bounds is one of these. A duration of the bound itself or one nanosecond less counts as above it.
 */
export const SPAN_BUCKET_BOUNDS: readonly number[] = Array.from(
  { length: 20 },
  (_, i) => 2 ** (FIRST_BOUND_POWER + i),
)
