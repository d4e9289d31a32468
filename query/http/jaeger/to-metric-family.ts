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
      metricPoints: pointValues(metric, steps, window).map((value, index) => ({
        gaugeValue: { doubleValue: Number.isNaN(value) ? 'NaN' : value },
        timestamp: new Date(window.startMs + (index + window.stepsPerPoint) * window.stepMs).toISOString(),
      })),
    })),
  }
}

/** The window slides: each step is added once and taken away once, however long the window is. All counts are whole numbers. */
function pointValues(
  metric: JaegerMetric,
  steps: readonly (RedStep | null)[],
  window: MetricWindow,
): number[] {
  const { stepsPerPoint, stepMs, quantile } = window
  let calls = 0
  let errors = 0
  const buckets = new Map<number, number>()
  const count = (step: RedStep | null | undefined, sign: 1 | -1) => {
    if (!step) return
    calls += sign * step.calls
    errors += sign * step.errors
    if (metric !== 'latencies') return
    for (const [bucket, inStep] of step.buckets) {
      const left = (buckets.get(bucket) ?? 0) + sign * inStep
      if (left === 0) buckets.delete(bucket)
      else buckets.set(bucket, left)
    }
  }
  const values: number[] = []
  for (const [index, step] of steps.entries()) {
    count(step, 1)
    if (index >= stepsPerPoint) count(steps[index - stepsPerPoint], -1)
    if (index < stepsPerPoint - 1) continue
    if (metric === 'calls') values.push(calls / ((stepsPerPoint * stepMs) / 1000))
    else if (metric === 'errors') values.push(errors / calls)
    else values.push(bucketQuantile(buckets, quantile) / 1e6)
  }
  return values
}
