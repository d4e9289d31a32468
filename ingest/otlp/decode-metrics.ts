import { AttributeReader } from './attribute-reader.ts'
import { type ByteRange, EMPTY_RANGE } from './byte-range.ts'
import type { DecodeOutcome, RejectReason } from './decode-outcome.ts'
import {
  createExponentialPointDecoder,
  createHistogramPointDecoder,
  createNumberPointDecoder,
  createSummaryPointDecoder,
  type DecodePoint,
} from './decode-points.ts'
import type { DecodeMessage, DecoderParts } from './decode-traces.ts'
import { ExemplarList } from './exemplar-list.ts'
import type { MetricColumns } from './metric-blocks.ts'
import type { Origin } from './origin-registry.ts'
import { PointHead } from './point-head.ts'
import { METRIC_TYPES, type SeriesRegistry } from './series-registry.ts'
import type { TargetInfo } from './target-info.ts'
import type { TimeWindow } from './time-window.ts'
import { walkScopes } from './walk-scopes.ts'
import { LENGTH_DELIMITED, VARINT } from './wire-reader.ts'

/** A kind of metric, by the field of `Metric` that holds its data. */
interface MetricKind {
  readonly type: number
  readonly decodePoint: DecodePoint
}

interface MetricFields {
  readonly name: ByteRange
  readonly description: ByteRange
  readonly unit: ByteRange
  /** Where its data points stand: usually one range, but a repeated field is to be merged. */
  readonly data: readonly ByteRange[]
  readonly kind: MetricKind | undefined
}

/**
 * Makes the decoder of `ExportMetricsServiceRequest` (OTLP protobuf): every good data point a row of its table, its exemplars beside
 * it, its series told once a day, and for each resource a sample of `target_info`. Outcomes count data points. Throws MALFORMED_MESSAGE as the decoder of traces does.
 */
export function createMetricDecoder(
  parts: DecoderParts,
  columns: MetricColumns,
  series: SeriesRegistry,
  targets: TargetInfo,
): DecodeMessage {
  const { reader, origins, text } = parts
  const metadata = new AttributeReader(text, parts.maxAttributes)
  const head = new PointHead(
    parts,
    series,
    new ExemplarList(reader, text, parts.maxAttributes, columns.exemplars),
  )
  const decodeNumber = createNumberPointDecoder(head, columns.points)
  const kinds: Readonly<Record<number, MetricKind>> = {
    5: { type: METRIC_TYPES.gauge, decodePoint: decodeNumber },
    7: { type: METRIC_TYPES.sum, decodePoint: decodeNumber },
    9: { type: METRIC_TYPES.histogram, decodePoint: createHistogramPointDecoder(head, columns.histograms) },
    10: {
      type: METRIC_TYPES.exponentialHistogram,
      decodePoint: createExponentialPointDecoder(head, columns.exponentialHistograms),
    },
    11: { type: METRIC_TYPES.summary, decodePoint: createSummaryPointDecoder(head, columns.summaries) },
  }

  function readFields(end: number): MetricFields {
    let name = EMPTY_RANGE
    let description = EMPTY_RANGE
    let unit = EMPTY_RANGE
    let data: ByteRange[] = []
    let kind: MetricKind | undefined
    metadata.begin()
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      const range = { start: reader.position, end: to }
      if (field === 1) name = range
      else if (field === 2) description = range
      else if (field === 3) unit = range
      else if (field === 12) metadata.add(reader, to)
      else if (kinds[field] !== undefined) {
        if (kind !== kinds[field]) data = []
        data.push(range)
        kind = kinds[field]
      }
      reader.position = to
    }
    metadata.finish()
    return { name, description, unit, data, kind }
  }

  /** Temporality and monotonicity stand behind the points; counts these on the way. */
  function readData(data: readonly ByteRange[]) {
    let temporality = 0
    let isMonotonic = false
    let points = 0
    for (const { start, end } of data) {
      reader.position = start
      while (reader.position < end) {
        const field = reader.tag(end)
        if (field === 2 && reader.wireType === VARINT) temporality = reader.varint32(end)
        else if (field === 3 && reader.wireType === VARINT) {
          reader.varint64(end)
          isMonotonic = reader.low !== 0 || reader.high !== 0
        } else {
          if (field === 1 && reader.wireType === LENGTH_DELIMITED) points++
          reader.skip(end, field)
        }
      }
    }
    return { temporality: temporality > 2 ? 0 : temporality, isMonotonic, points }
  }

  function refusal(fields: MetricFields, origin: Origin | null): RejectReason | null {
    if (origin === null || metadata.isTooDeep) return 'too_deep'
    return fields.name.start === fields.name.end ? 'no_name' : null
  }

  function decodeMetric(
    end: number,
    tenantId: number,
    origin: Origin | null,
    window: TimeWindow,
    outcome: DecodeOutcome,
  ): void {
    const fields = readFields(end)
    const { kind, name, data } = fields
    if (kind === undefined) {
      outcome.reject('no_data')
      return
    }
    const { temporality, isMonotonic, points } = readData(data)
    if (points === 0) return
    const reason = refusal(fields, origin)
    if (reason !== null || origin === null) {
      outcome.reject(reason ?? 'too_deep', points)
      return
    }
    head.beginMetric(tenantId, text.intern(reader.bytes, name.start, name.end))
    series.beginMetric({ ...fields, origin, type: kind.type, temporality, isMonotonic, metadata })
    for (const range of data) decodePoints(range, kind.decodePoint, window, outcome)
    const latest = origin.target === null ? 0n : head.latest()
    if (origin.target !== null && latest > 0n) targets.see(origin.target, latest)
  }

  function decodePoints(
    { start, end }: ByteRange,
    decodePoint: DecodePoint,
    window: TimeWindow,
    outcome: DecodeOutcome,
  ): void {
    reader.position = start
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field !== 1 || reader.wireType !== LENGTH_DELIMITED) {
        reader.skip(end, field)
        continue
      }
      const to = reader.enter(end)
      const refused = decodePoint(to, window)
      if (refused === null) outcome.accepted++
      else outcome.reject(refused)
      reader.position = to
    }
  }

  return (bytes, tenantId, window, outcome) => {
    reader.begin(bytes)
    walkScopes(reader, origins, (origin, end) => {
      decodeMetric(end, tenantId, origin, window, outcome)
    })
    targets.write()
  }
}
