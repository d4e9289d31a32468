/** Why a span, log record or data point was not taken although its message was well formed. */
export const REJECT_REASONS = {
  trace_id: 'the trace id is not 16 bytes or is all zero',
  span_id: 'the span id is not 8 bytes or is all zero',
  parent_span_id: 'the parent span id is not 8 bytes',
  no_time: 'it has no time',
  too_old: 'its time is before the retention',
  in_future: 'its time is too far in the future',
  too_deep: 'a value is nested deeper than 32 levels',
  bounds: 'bucket counts and bounds do not fit together',
  no_data: 'the metric has no data of a known type',
  no_name: 'the metric has no name',
  too_many_attributes: 'it has more attributes than the limit, and a series cannot do without some of them',
  series_limit: 'its series is new, and there are as many as ingest.seriesLimit allows',
  labels: 'its labels make no series',
  histogram: 'the native histogram contradicts itself',
} as const

/** A key of {@link REJECT_REASONS}; also the `reason` label of the refused counter. */
export type RejectReason = keyof typeof REJECT_REASONS

/** What became of one message. */
export class DecodeOutcome {
  accepted = 0
  rejected = 0
  /** How many attributes were left out because their holder had too many. */
  droppedAttributes = 0
  readonly reasons = new Map<RejectReason, number>()

  /** Counts a refused item (or `count` of them). */
  reject(reason: RejectReason, count = 1): void {
    this.rejected += count
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + count)
  }

  /** The sentence for the sender; empty when everything was taken whole. `items`: `spans`, `log records`, … */
  message(items: string): string {
    const parts = [...this.reasons].map(([reason, count]) => `${count} of them: ${REJECT_REASONS[reason]}`)
    const refused = parts.length === 0 ? [] : [`Cannot take ${this.rejected} ${items}: ${parts.join('; ')}`]
    const dropped =
      this.droppedAttributes === 0
        ? []
        : [`${this.droppedAttributes} attributes were left out: their ${items} have more than the limit`]
    return [...refused, ...dropped].join('. ')
  }
}
