import type { Signal } from '../export-sink.ts'

/**
 * Protobuf types as the OTLP messages use them. `id` is bytes on the wire and hex in JSON (trace and span ids);
 * `bytes` is base64 in JSON; `enum` is an int32 on the wire and an integer (or, tolerated, a name) in JSON.
 */
export type ScalarType =
  | 'string'
  | 'bool'
  | 'double'
  | 'fixed64'
  | 'sfixed64'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'uint32'
  | 'sint32'
  | 'enum'
  | 'bytes'
  | 'id'

/** One field of a message. The field's JSON name is its key in the table. */
export interface FieldSchema {
  /** Protobuf field number. */
  readonly number: number
  /** A scalar type, or the name of a message of {@link OTLP_MESSAGES}. */
  readonly type: ScalarType | MessageName
  readonly isRepeated?: true
  /** The oneof group it is a member of. */
  readonly oneof?: string
  /** Proto3 `optional`: present with its default value differs from absent. */
  readonly isOptional?: true
  /** Names of an enum's values. */
  readonly values?: Readonly<Record<string, number>>
}

/** Fields of one message by JSON name. */
export type MessageSchema = Readonly<Record<string, FieldSchema>>

/** A message of OTLP 1.x that an export request can hold. */
export type MessageName =
  | 'ExportTraceServiceRequest'
  | 'ExportMetricsServiceRequest'
  | 'ExportLogsServiceRequest'
  | 'AnyValue'
  | 'ArrayValue'
  | 'KeyValueList'
  | 'KeyValue'
  | 'InstrumentationScope'
  | 'Resource'
  | 'EntityRef'
  | 'ResourceSpans'
  | 'ScopeSpans'
  | 'Span'
  | 'SpanEvent'
  | 'SpanLink'
  | 'Status'
  | 'ResourceLogs'
  | 'ScopeLogs'
  | 'LogRecord'
  | 'ResourceMetrics'
  | 'ScopeMetrics'
  | 'Metric'
  | 'Gauge'
  | 'Sum'
  | 'Histogram'
  | 'ExponentialHistogram'
  | 'Summary'
  | 'NumberDataPoint'
  | 'HistogramDataPoint'
  | 'ExponentialHistogramDataPoint'
  | 'Buckets'
  | 'SummaryDataPoint'
  | 'ValueAtQuantile'
  | 'Exemplar'

/** The request message of each signal. */
export const REQUEST_MESSAGES = {
  traces: 'ExportTraceServiceRequest',
  metrics: 'ExportMetricsServiceRequest',
  logs: 'ExportLogsServiceRequest',
} as const satisfies Record<Signal, MessageName>

const SPAN_KIND = {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
}

const STATUS_CODE = { STATUS_CODE_UNSET: 0, STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 }

const TEMPORALITY = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
}

const SEVERITY = severityNames()

/**
 * Field numbers and types of OTLP 1.x (opentelemetry-proto: common, resource, trace, logs, metrics and the three
 * collector services), fields of the profiles signal excepted.
 */
export const OTLP_MESSAGES: Readonly<Record<MessageName, MessageSchema>> = {
  ExportTraceServiceRequest: { resourceSpans: many(1, 'ResourceSpans') },
  ExportMetricsServiceRequest: { resourceMetrics: many(1, 'ResourceMetrics') },
  ExportLogsServiceRequest: { resourceLogs: many(1, 'ResourceLogs') },

  AnyValue: {
    stringValue: choice(1, 'string', 'value'),
    boolValue: choice(2, 'bool', 'value'),
    intValue: choice(3, 'int64', 'value'),
    doubleValue: choice(4, 'double', 'value'),
    arrayValue: choice(5, 'ArrayValue', 'value'),
    kvlistValue: choice(6, 'KeyValueList', 'value'),
    bytesValue: choice(7, 'bytes', 'value'),
  },
  ArrayValue: { values: many(1, 'AnyValue') },
  KeyValueList: { values: many(1, 'KeyValue') },
  KeyValue: { key: one(1, 'string'), value: one(2, 'AnyValue') },
  InstrumentationScope: {
    name: one(1, 'string'),
    version: one(2, 'string'),
    attributes: many(3, 'KeyValue'),
    droppedAttributesCount: one(4, 'uint32'),
  },
  Resource: {
    attributes: many(1, 'KeyValue'),
    droppedAttributesCount: one(2, 'uint32'),
    entityRefs: many(3, 'EntityRef'),
  },
  EntityRef: {
    schemaUrl: one(1, 'string'),
    type: one(2, 'string'),
    idKeys: many(3, 'string'),
    descriptionKeys: many(4, 'string'),
  },

  ResourceSpans: {
    resource: one(1, 'Resource'),
    scopeSpans: many(2, 'ScopeSpans'),
    schemaUrl: one(3, 'string'),
  },
  ScopeSpans: { scope: one(1, 'InstrumentationScope'), spans: many(2, 'Span'), schemaUrl: one(3, 'string') },
  Span: {
    traceId: one(1, 'id'),
    spanId: one(2, 'id'),
    traceState: one(3, 'string'),
    parentSpanId: one(4, 'id'),
    flags: one(16, 'fixed32'),
    name: one(5, 'string'),
    kind: named(6, SPAN_KIND),
    startTimeUnixNano: one(7, 'fixed64'),
    endTimeUnixNano: one(8, 'fixed64'),
    attributes: many(9, 'KeyValue'),
    droppedAttributesCount: one(10, 'uint32'),
    events: many(11, 'SpanEvent'),
    droppedEventsCount: one(12, 'uint32'),
    links: many(13, 'SpanLink'),
    droppedLinksCount: one(14, 'uint32'),
    status: one(15, 'Status'),
  },
  SpanEvent: {
    timeUnixNano: one(1, 'fixed64'),
    name: one(2, 'string'),
    attributes: many(3, 'KeyValue'),
    droppedAttributesCount: one(4, 'uint32'),
  },
  SpanLink: {
    traceId: one(1, 'id'),
    spanId: one(2, 'id'),
    traceState: one(3, 'string'),
    attributes: many(4, 'KeyValue'),
    droppedAttributesCount: one(5, 'uint32'),
    flags: one(6, 'fixed32'),
  },
  Status: { message: one(2, 'string'), code: named(3, STATUS_CODE) },

  ResourceLogs: {
    resource: one(1, 'Resource'),
    scopeLogs: many(2, 'ScopeLogs'),
    schemaUrl: one(3, 'string'),
  },
  ScopeLogs: {
    scope: one(1, 'InstrumentationScope'),
    logRecords: many(2, 'LogRecord'),
    schemaUrl: one(3, 'string'),
  },
  LogRecord: {
    timeUnixNano: one(1, 'fixed64'),
    observedTimeUnixNano: one(11, 'fixed64'),
    severityNumber: named(2, SEVERITY),
    severityText: one(3, 'string'),
    body: one(5, 'AnyValue'),
    attributes: many(6, 'KeyValue'),
    droppedAttributesCount: one(7, 'uint32'),
    flags: one(8, 'fixed32'),
    traceId: one(9, 'id'),
    spanId: one(10, 'id'),
    eventName: one(12, 'string'),
  },

  ResourceMetrics: {
    resource: one(1, 'Resource'),
    scopeMetrics: many(2, 'ScopeMetrics'),
    schemaUrl: one(3, 'string'),
  },
  ScopeMetrics: {
    scope: one(1, 'InstrumentationScope'),
    metrics: many(2, 'Metric'),
    schemaUrl: one(3, 'string'),
  },
  Metric: {
    name: one(1, 'string'),
    description: one(2, 'string'),
    unit: one(3, 'string'),
    gauge: choice(5, 'Gauge', 'data'),
    sum: choice(7, 'Sum', 'data'),
    histogram: choice(9, 'Histogram', 'data'),
    exponentialHistogram: choice(10, 'ExponentialHistogram', 'data'),
    summary: choice(11, 'Summary', 'data'),
    metadata: many(12, 'KeyValue'),
  },
  Gauge: { dataPoints: many(1, 'NumberDataPoint') },
  Sum: {
    dataPoints: many(1, 'NumberDataPoint'),
    aggregationTemporality: named(2, TEMPORALITY),
    isMonotonic: one(3, 'bool'),
  },
  Histogram: { dataPoints: many(1, 'HistogramDataPoint'), aggregationTemporality: named(2, TEMPORALITY) },
  ExponentialHistogram: {
    dataPoints: many(1, 'ExponentialHistogramDataPoint'),
    aggregationTemporality: named(2, TEMPORALITY),
  },
  Summary: { dataPoints: many(1, 'SummaryDataPoint') },
  NumberDataPoint: {
    attributes: many(7, 'KeyValue'),
    startTimeUnixNano: one(2, 'fixed64'),
    timeUnixNano: one(3, 'fixed64'),
    asDouble: choice(4, 'double', 'value'),
    asInt: choice(6, 'sfixed64', 'value'),
    exemplars: many(5, 'Exemplar'),
    flags: one(8, 'uint32'),
  },
  HistogramDataPoint: {
    attributes: many(9, 'KeyValue'),
    startTimeUnixNano: one(2, 'fixed64'),
    timeUnixNano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: optional(5, 'double'),
    bucketCounts: many(6, 'fixed64'),
    explicitBounds: many(7, 'double'),
    exemplars: many(8, 'Exemplar'),
    flags: one(10, 'uint32'),
    min: optional(11, 'double'),
    max: optional(12, 'double'),
  },
  ExponentialHistogramDataPoint: {
    attributes: many(1, 'KeyValue'),
    startTimeUnixNano: one(2, 'fixed64'),
    timeUnixNano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: optional(5, 'double'),
    scale: one(6, 'sint32'),
    zeroCount: one(7, 'fixed64'),
    positive: one(8, 'Buckets'),
    negative: one(9, 'Buckets'),
    flags: one(10, 'uint32'),
    exemplars: many(11, 'Exemplar'),
    min: optional(12, 'double'),
    max: optional(13, 'double'),
    zeroThreshold: one(14, 'double'),
  },
  Buckets: { offset: one(1, 'sint32'), bucketCounts: many(2, 'uint64') },
  SummaryDataPoint: {
    attributes: many(7, 'KeyValue'),
    startTimeUnixNano: one(2, 'fixed64'),
    timeUnixNano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: one(5, 'double'),
    quantileValues: many(6, 'ValueAtQuantile'),
    flags: one(8, 'uint32'),
  },
  ValueAtQuantile: { quantile: one(1, 'double'), value: one(2, 'double') },
  Exemplar: {
    filteredAttributes: many(7, 'KeyValue'),
    timeUnixNano: one(2, 'fixed64'),
    asDouble: choice(3, 'double', 'value'),
    asInt: choice(6, 'sfixed64', 'value'),
    spanId: one(4, 'id'),
    traceId: one(5, 'id'),
  },
}

function one(number: number, type: ScalarType | MessageName): FieldSchema {
  return { number, type }
}

function many(number: number, type: ScalarType | MessageName): FieldSchema {
  return { number, type, isRepeated: true }
}

function choice(number: number, type: ScalarType | MessageName, oneof: string): FieldSchema {
  return { number, type, oneof }
}

function optional(number: number, type: ScalarType): FieldSchema {
  return { number, type, isOptional: true }
}

function named(number: number, values: Readonly<Record<string, number>>): FieldSchema {
  return { number, type: 'enum', values }
}

/** SEVERITY_NUMBER_TRACE = 1, …TRACE2 = 2, … SEVERITY_NUMBER_FATAL4 = 24. */
function severityNames(): Record<string, number> {
  const values: Record<string, number> = { SEVERITY_NUMBER_UNSPECIFIED: 0 }
  for (const [step, level] of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].entries()) {
    for (let grade = 1; grade <= 4; grade++) {
      values[`SEVERITY_NUMBER_${level}${grade === 1 ? '' : grade}`] = step * 4 + grade
    }
  }
  return values
}
