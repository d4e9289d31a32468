import type { AnyValue, KeyValue } from '../../model/any-value.ts'
import type { Resource, Scope } from '../traces/trace.ts'

/** One log record, or event of the mesh, as it was received. Ids in lower-case hex, null when there are none. */
export interface LogRecord {
  /** Nanoseconds since the epoch; 0 when the record has no time of its own. */
  readonly timeUnixNano: bigint
  readonly observedTimeUnixNano: bigint
  readonly traceId: string | null
  readonly spanId: string | null
  readonly flags: number
  /** OTLP `SeverityNumber`, 1 … 24; 0: unspecified. */
  readonly severityNumber: number
  readonly severityText: string
  readonly service: string
  readonly eventName: string
  /** Null when there is none. */
  readonly body: AnyValue | null
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly resource: Resource
  readonly scope: Scope
}
