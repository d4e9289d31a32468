/** A value of an attribute; whole numbers are sent as integers. */
export type AttributeValue = string | number | boolean | readonly string[]

/** Names and values; undefined ones are not sent. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

/** A finished span. Times are epoch milliseconds with fractions. */
export interface SpanRecord {
  /** 32 and 16 hex digits. */
  readonly traceId: string
  readonly spanId: string
  /** '' for a root. */
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  readonly kind: 'server' | 'client'
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly isError: boolean
  readonly statusMessage: string
  /** Whether the head decision sampled the trace. */
  readonly isHeadSampled: boolean
}

/** An event of the proxy, sent as a log record with `event_name`. */
export interface EventRecord {
  readonly name: string
  readonly atMs: number
  readonly severity: 'info' | 'warn'
  readonly body: string
  readonly attributes: Attributes
  /** A trace that shows what is meant; '' when there is none. */
  readonly traceId: string
}
