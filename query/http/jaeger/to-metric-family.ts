import { bucketQuantile, type RedSeries, type RedStep } from '../../traces/read-red-series.ts'

/** Which of Jaeger's service performance metrics. */
export type JaegerMetric = 'latencies' | 'calls' | 'errors'

/** Jaeger's `MetricFamily` as JSON. */
export interface JaegerMetricFamily {
  readonly name: string
  readonly type: 'GAUGE'
  readonly help: string
  readonly metrics: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[]
    readonly metricPoints: readonly {
      readonly gaugeValue: { readonly doubleValue: number | 'NaN' }
      readonly timestamp: string
    }[]
  }[]
}

/** How the points are made from steps. */
export interface MetricWindow {
  /** Epoch milliseconds of the first step's start. */
  readonly startMs: number
  readonly stepMs: number
  /** Steps that one point looks back over: its rate is over their calls. */
  readonly stepsPerPoint: number
  /** 0 … 1, for latencies. */
  readonly quantile: number
}

/**
 * Turns series into Jaeger's form. A point stands at the end of its window; latencies are milliseconds, calls per second,
 * errors a fraction of the calls. Where there were no calls, the rate is 0 and the others are NaN.
 */
export function toMetricFamily(
  metric: JaegerMetric,
  series: readonly RedSeries[],
  isByOperation: boolean,
  window: MetricWindow,
): JaegerMetricFamily {
  const what = {
    latencies: ['latencies', `${window.quantile}th quantile latency`],
    calls: ['call_rate', 'calls/sec'],
    errors: ['error_rate', 'error rate, computed as a fraction of errors/sec over calls/sec'],
  } as const
  const [suffix, help] = what[metric]
  return {
    name: `${isByOperation ? 'service_operation' : 'service'}_${suffix}`,
    type: 'GAUGE',
    help: `${help}, grouped by service${isByOperation ? ' & operation' : ''}`,
    metrics: series.map(({ service, operation, steps }) => ({
      labels: [
        ...(operation === null ? [] : [{ name: 'operation', value: operation }]),
        { name: 'service_name', value: service },
      ],
      metricPoints: steps.slice(window.stepsPerPoint - 1).map((_, index) => {
        const value = pointValue(metric, steps.slice(index, index + window.stepsPerPoint), window)
        const endMs = window.startMs + (index + window.stepsPerPoint) * window.stepMs
        return {
          gaugeValue: { doubleValue: Number.isNaN(value) ? 'NaN' : value },
          timestamp: new Date(endMs).toISOString(),
        }
      }),
    })),
  }
}

function pointValue(metric: JaegerMetric, steps: readonly (RedStep | null)[], window: MetricWindow): number {
  const seen = steps.filter((step) => step !== null)
  const calls = seen.reduce((sum, step) => sum + step.calls, 0)
  if (metric === 'calls') return calls / ((steps.length * window.stepMs) / 1000)
  if (metric === 'errors') return seen.reduce((sum, step) => sum + step.errors, 0) / calls
  const buckets = new Map<number, number>()
  for (const step of seen) {
    for (const [bucket, count] of step.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
  }
  return bucketQuantile(buckets, window.quantile) / 1e6
}
