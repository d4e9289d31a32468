import { ValueType } from '@opentelemetry/api'
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import { decodeAttributes, type KeyValue } from '../../model/any-value.ts'
import type { Storage } from '../../storage/storage.ts'
import { recordedAttributes, recordedNanos } from './recorded-telemetry.ts'

/** A metric with its description and its one point. */
export interface StoredMetric {
  readonly metric: string
  readonly type: string
  readonly temporality: string
  readonly isMonotonic: boolean
  readonly unit: string
  readonly description: string
  readonly attributes: readonly KeyValue[]
  readonly point: Readonly<Record<string, unknown>>
}

/** A metric with one point that the SDK recorded, as it must be stored. */
export function recordedMetric(metric: MetricData): StoredMetric {
  const [point] = metric.dataPoints
  if (point === undefined) throw new Error(`${metric.descriptor.name} has no point`)
  const times = { start: String(recordedNanos(point.startTime)), time: String(recordedNanos(point.endTime)) }
  const described = {
    metric: metric.descriptor.name,
    unit: metric.descriptor.unit,
    description: metric.descriptor.description,
    attributes: recordedAttributes(point.attributes),
    // 0 delta, 1 cumulative in the SDK.
    temporality: metric.dataPointType === DataPointType.GAUGE ? 'unspecified' : 'cumulative',
    isMonotonic: metric.dataPointType === DataPointType.SUM && metric.isMonotonic,
  }
  if (metric.dataPointType === DataPointType.HISTOGRAM) {
    const { buckets, count, sum, min, max } = metric.dataPoints[0]?.value ?? fail()
    return {
      ...described,
      type: 'histogram',
      point: { ...times, count, sum, min, max, bounds: buckets.boundaries, counts: buckets.counts },
    }
  }
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    const { count, sum, min, max, scale, zeroCount, positive, negative } =
      metric.dataPoints[0]?.value ?? fail()
    return {
      ...described,
      type: 'exponential_histogram',
      point: {
        ...times,
        count,
        sum,
        min,
        max,
        scale,
        zeroCount,
        positive: [positive.offset, positive.bucketCounts],
        negative: [negative.offset, negative.bucketCounts],
      },
    }
  }
  const isInt = metric.descriptor.valueType === ValueType.INT
  return {
    ...described,
    type: metric.dataPointType === DataPointType.SUM ? 'sum' : 'gauge',
    point: { ...times, kind: isInt ? 'i' : 'd', value: metric.dataPoints[0]?.value },
  }
}

function fail(): never {
  throw new Error('a metric without a point')
}

/** Reads the metrics of a service with their only point. Asks the tables: no API shows metrics with all their fields. */
export async function readMetrics(storage: Storage, service: string): Promise<StoredMetric[]> {
  const series = await storage.select<Record<string, unknown>>({
    name: 'test.series',
    tenant: 'default',
    sql: `SELECT metric, hex(id) AS id, toString(any(type)) AS type, toString(any(temporality)) AS temporality,
        any(is_monotonic) AS isMonotonic, any(unit) AS unit, any(description) AS description,
        arrayMap(pair -> [pair.1, pair.2], CAST(any(attrs), 'Array(Tuple(String, String))')) AS pairs,
        any(attr_kinds) AS kinds
      FROM metric_series WHERE tenant = {tenant:String} AND service = {service:String} GROUP BY metric, id`,
    params: { service },
  })
  return Promise.all(
    series.map(async ({ pairs, kinds, id, ...described }) => {
      const points = await storage.select<Record<string, unknown>>({
        name: 'test.points',
        tenant: 'default',
        sql: POINTS[String(described['type']) as keyof typeof POINTS],
        params: { id: String(id) },
      })
      if (points.length !== 1) throw new Error(`${described['metric']} has ${points.length} points`)
      return {
        ...described,
        attributes: decodeAttributes(pairs as [string, string][], String(kinds)),
        point: points[0] ?? {},
      } as unknown as StoredMetric
    }),
  )
}

const TIMES = 'toString(toUnixTimestamp64Nano(start)) AS start, toString(toUnixTimestamp64Nano(ts)) AS time'
const ONE = 'WHERE tenant = {tenant:String} AND series = unhex({id:String})'
const NUMBER = `SELECT ${TIMES}, value_kind AS kind, value FROM otlp_points ${ONE}`
const POINTS = {
  sum: NUMBER,
  gauge: NUMBER,
  histogram: `SELECT ${TIMES}, toFloat64(count) AS count, sum, min, max, bounds, arrayMap(c -> toFloat64(c), counts) AS counts
    FROM otlp_histograms ${ONE} AND present = 7`,
  exponential_histogram: `SELECT ${TIMES}, toFloat64(count) AS count, sum, min, max, scale, toFloat64(zero_count) AS zeroCount,
      tuple(positive_offset, arrayMap(c -> toFloat64(c), positive_counts)) AS positive,
      tuple(negative_offset, arrayMap(c -> toFloat64(c), negative_counts)) AS negative
    FROM otlp_exponential_histograms ${ONE} AND present = 7`,
} as const
