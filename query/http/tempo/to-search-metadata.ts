import type { KeyValue } from '../../../model/any-value.ts'
import type { TraceSummary } from '../../traces/trace.ts'

/** Tempo's `SpanSet` as JSON: the spans of a trace that match. */
export interface TempoSpanSet {
  readonly spans: readonly {
    readonly spanID: string
    readonly name: string
    readonly startTimeUnixNano: string
    readonly durationNanos: string
    readonly attributes: readonly KeyValue[]
  }[]
  readonly matched: number
}

/** Tempo's `TraceSearchMetadata` as JSON. */
export interface TempoSearchMetadata {
  readonly traceID: string
  readonly rootServiceName: string
  readonly rootTraceName: string
  readonly startTimeUnixNano: string
  readonly durationMs: number
  readonly spanSet: TempoSpanSet
  readonly spanSets: readonly TempoSpanSet[]
  readonly serviceStats: Readonly<
    Record<string, { readonly spanCount: number; readonly errorCount?: number }>
  >
}

/** Tempo's words where the root is missing; Grafana shows them. */
const NO_ROOT = '<root span not yet received>'

/** Turns a line of a search result into Tempo's form. The span set holds the newest matching span. */
export function toSearchMetadata(summary: TraceSummary): TempoSearchMetadata {
  const { matched } = summary
  const spanSet: TempoSpanSet = {
    spans: [
      {
        spanID: matched.spanId,
        name: matched.name,
        startTimeUnixNano: matched.startTimeUnixNano.toString(),
        durationNanos: notNegative(matched.durationNanos).toString(),
        attributes: [
          { key: 'service.name', value: { stringValue: matched.service } },
          ...(matched.isError ? [{ key: 'status', value: { stringValue: 'error' } }] : []),
        ],
      },
    ],
    matched: 1,
  }
  return {
    traceID: summary.traceId,
    rootServiceName: summary.rootService ?? NO_ROOT,
    rootTraceName: summary.rootName ?? '',
    startTimeUnixNano: summary.startTimeUnixNano.toString(),
    durationMs: Number(notNegative(summary.durationNanos) / 1_000_000n),
    spanSet,
    spanSets: [spanSet],
    serviceStats: Object.fromEntries(
      summary.services.map(({ service, spanCount, errorCount }) => [
        service,
        { spanCount, ...(errorCount === 0 ? {} : { errorCount }) },
      ]),
    ),
  }
}

function notNegative(nanos: bigint): bigint {
  return nanos < 0n ? 0n : nanos
}
