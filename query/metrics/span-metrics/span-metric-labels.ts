import type { RollUp } from '../../traces/roll-up-source.ts'

/** A label of the series that are made of spans, and where it stands in the roll-ups. */
export interface SpanMetricLabel {
  readonly name: string
  /** The label's value as an expression over the roll-up's columns; '' where a series does not have it. */
  readonly sql: string
}

const STATUS = "if(http_status = 0, '', toString(http_status))"

/** The labels of each roll-up's series beside the name and `le`, in the order of their names. */
export const SPAN_METRIC_LABELS: Readonly<Record<RollUp, readonly SpanMetricLabel[]>> = {
  red: [
    { name: 'http_status_code', sql: STATUS },
    { name: 'response_flag', sql: 'toString(response_flags)' },
    { name: 'service', sql: 'toString(service)' },
    { name: 'span_kind', sql: "concat('SPAN_KIND_', upper(toString(kind)))" },
    { name: 'span_name', sql: 'toString(name)' },
    { name: 'status_code', sql: "concat('STATUS_CODE_', upper(toString(status_code)))" },
  ],
  edges: [
    { name: 'client', sql: 'toString(service)' },
    { name: 'http_status_code', sql: STATUS },
    { name: 'response_flag', sql: 'toString(response_flags)' },
    { name: 'server', sql: 'toString(upstream)' },
  ],
}

/** The columns of each roll-up that its labels are made of. */
export const ROLL_UP_COLUMNS: Readonly<Record<RollUp, readonly string[]>> = {
  red: ['service', 'name', 'kind', 'status_code', 'http_status', 'response_flags'],
  edges: ['service', 'upstream', 'http_status', 'response_flags'],
}
