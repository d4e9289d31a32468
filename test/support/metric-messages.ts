import { encodeRequest, type OtlpJson } from './otlp-messages.ts'

/** An `ExportMetricsServiceRequest` of these metrics, in one scope of one resource. */
export function metricsMessage(
  metrics: readonly OtlpJson[],
  resource: OtlpJson = {},
  scope: OtlpJson = {},
): Uint8Array {
  return encodeRequest('metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] })
}

/** A monotonic cumulative sum with these points. */
export function sumMetric(points: readonly OtlpJson[], fields: OtlpJson = {}): OtlpJson {
  return {
    name: 'requests',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: points },
    ...fields,
  }
}

/** A field of bytes on the wire, by its number. */
export function lengthDelimited(field: number, bytes: Uint8Array): Buffer {
  const size: number[] = []
  let rest = bytes.length
  for (; rest > 0x7f; rest >>>= 7) size.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...size, rest]), bytes])
}
