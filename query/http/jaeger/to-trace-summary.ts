import type { TraceSummary } from '../../traces/trace.ts'

/** Jaeger's `TraceSummary` as JSON. */
export interface JaegerTraceSummary {
  readonly traceId: string
  readonly traceID: string
  readonly rootServiceName: string
  readonly rootOperationName: string
  readonly minStartTimeUnixNano: string
  readonly maxEndTimeUnixNano: string
  readonly spanCount: number
  readonly errorSpanCount: number
  readonly orphanSpanCount: number
  readonly services: readonly {
    readonly name: string
    readonly spanCount: number
    readonly errorSpanCount: number
  }[]
}

/**
 * Turns a line of a search result into Jaeger's form. The id stands under both names: the first user interfaces that
 * asked for summaries read `traceID`. Orphans are not counted: 1 says that the root is missing, so that there is one at least.
 */
export function toTraceSummary(summary: TraceSummary): JaegerTraceSummary {
  const services = summary.services.map(({ service, spanCount, errorCount }) => ({
    name: service,
    spanCount,
    errorSpanCount: errorCount,
  }))
  return {
    traceId: summary.traceId,
    traceID: summary.traceId,
    rootServiceName: summary.rootService ?? '',
    rootOperationName: summary.rootName ?? '',
    minStartTimeUnixNano: summary.startTimeUnixNano.toString(),
    maxEndTimeUnixNano: (summary.startTimeUnixNano + summary.durationNanos).toString(),
    spanCount: summary.spanCount,
    errorSpanCount: summary.errorCount,
    orphanSpanCount: summary.rootService === null ? 1 : 0,
    services: services.sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}
