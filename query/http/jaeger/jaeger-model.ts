/** A tag, a log field: Jaeger's `KeyValue`. Integers that JavaScript cannot hold exactly are texts, as Jaeger has it. */
export interface JaegerTag {
  readonly key: string
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary'
  readonly value: string | number | boolean
}

/** Something that happened during a span. Microseconds since the epoch. */
export interface JaegerLog {
  readonly timestamp: number
  readonly fields: readonly JaegerTag[]
}

/** A span's parent (`CHILD_OF`) or link (`FOLLOWS_FROM`). */
export interface JaegerReference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM'
  readonly traceID: string
  readonly spanID: string
}

/** A span in Jaeger's older JSON model. Microseconds. */
export interface JaegerSpan {
  readonly traceID: string
  readonly spanID: string
  readonly flags?: number
  readonly operationName: string
  readonly references: readonly JaegerReference[]
  readonly startTime: number
  readonly duration: number
  readonly tags: readonly JaegerTag[]
  readonly logs: readonly JaegerLog[]
  readonly processID: string
  readonly warnings: readonly string[] | null
}

/** What emitted spans: the resource, its service name apart. */
export interface JaegerProcess {
  readonly serviceName: string
  readonly tags: readonly JaegerTag[]
}

/** A trace in Jaeger's older JSON model. */
export interface JaegerTrace {
  readonly traceID: string
  readonly spans: readonly JaegerSpan[]
  readonly processes: Readonly<Record<string, JaegerProcess>>
  readonly warnings: readonly string[] | null
}

/** One problem, in Jaeger's older form. */
export interface JaegerError {
  readonly code?: number
  readonly msg: string
  readonly traceID?: string
}

/** The envelope of every answer of Jaeger's older API. */
export interface JaegerAnswer<Data> {
  readonly data: Data
  readonly total: number
  readonly limit: number
  readonly offset: number
  readonly errors: readonly JaegerError[] | null
}

/** Puts data in the envelope. `total` is the number of names in a list; Jaeger leaves it 0 for traces. */
export function jaegerAnswer<Data>(
  data: Data,
  total = 0,
  errors: readonly JaegerError[] | null = null,
): JaegerAnswer<Data> {
  return { data, total, limit: 0, offset: 0, errors }
}
