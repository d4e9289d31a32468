import type { HrTime } from '@opentelemetry/api'
import { ValueType } from '@opentelemetry/api'
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import type { Registry } from 'prom-client'

/** The times of all points: since when the counters count, and now. Epoch milliseconds. */
export interface PointTimes {
  readonly startMs: number
  readonly nowMs: number
}

/**
 * The metrics of a registry as OpenTelemetry's: counters become monotonic cumulative sums, gauges gauges, histograms
 * cumulative histograms with the same boundaries. Names and labels stay. Summaries are left out.
 */
export async function otlpMetricData(registry: Registry, times: PointTimes): Promise<MetricData[]> {
  const metrics = (await registry.getMetricsAsJSON()) as unknown as readonly PromMetric[]
  return metrics.flatMap((metric) => metricData(metric, hrTime(times.startMs), hrTime(times.nowMs)))
}

/** What prom-client's JSON holds, which its own types do not say exactly. */
interface PromMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly PromValue[]
}

interface PromValue {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

function metricData(metric: PromMetric, startTime: HrTime, endTime: HrTime): MetricData[] {
  const base = {
    descriptor: { name: metric.name, description: metric.help, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  const point = <T>(attributes: PromValue['labels'], value: T) => ({ startTime, endTime, attributes, value })
  const numbers = () => metric.values.map(({ labels, value }) => point(labels, value))
  switch (metric.type) {
    case 'counter':
      return [{ ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers() }]
    case 'gauge':
      return [{ ...base, dataPointType: DataPointType.GAUGE, dataPoints: numbers() }]
    case 'histogram': {
      const dataPoints = histograms(metric).map(({ labels, ...value }) => point(labels, value))
      return [{ ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints }]
    }
    default:
      return []
  }
}

interface HistogramSeries {
  readonly labels: PromValue['labels']
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] }
  sum: number
  count: number
}

function histograms(metric: PromMetric): readonly HistogramSeries[] {
  const series = new Map<string, HistogramSeries>()
  for (const { labels, value, metricName } of metric.values) {
    const { le, ...own } = labels
    const key = JSON.stringify(Object.entries(own).sort())
    let entry = series.get(key)
    if (entry === undefined) {
      entry = { labels: own, buckets: { boundaries: [], counts: [] }, sum: 0, count: 0 }
      series.set(key, entry)
    }
    if (metricName?.endsWith('_sum')) entry.sum = value
    else if (metricName?.endsWith('_count')) entry.count = value
    else {
      if (le !== '+Inf') entry.buckets.boundaries.push(Number(le))
      entry.buckets.counts.push(value)
    }
  }
  // Prometheus' buckets count everything up to their boundary, OpenTelemetry's only what is above the one before.
  for (const { buckets } of series.values()) {
    for (let at = buckets.counts.length - 1; at > 0; at--) {
      buckets.counts[at] = (buckets.counts[at] ?? 0) - (buckets.counts[at - 1] ?? 0)
    }
  }
  return [...series.values()]
}

function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000)
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)]
}
