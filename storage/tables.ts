/** Every table that holds telemetry. Materialised views are named after their target with `_mv`. */
export const TABLES = [
  'origins',
  'attribute_keys',
  'spans',
  'traces',
  'red_10s',
  'red_5m',
  'edges_10s',
  'edges_5m',
  'logs',
  'metric_series',
  'otlp_points',
  'otlp_histograms',
  'otlp_exponential_histograms',
  'otlp_summaries',
  'metric_exemplars',
  'prom_series',
  'prom_samples',
  'prom_histograms',
  'prom_metadata',
  'prom_index',
  'prom_label_values',
  'prom_descriptions',
] as const

/** The tables whose rows are samples of series. */
export const SAMPLE_TABLES = [
  'otlp_points',
  'otlp_histograms',
  'otlp_exponential_histograms',
  'otlp_summaries',
  'prom_samples',
  'prom_histograms',
] as const satisfies readonly (typeof TABLES)[number][]

/** Tables of before, and those that hold their rows now: journals may still name them. */
export const SUCCESSORS: Readonly<Record<string, (typeof TABLES)[number]>> = {
  metric_points: 'otlp_points',
  metric_histograms: 'otlp_histograms',
  metric_exponential_histograms: 'otlp_exponential_histograms',
  metric_summaries: 'otlp_summaries',
  metric_samples: 'prom_samples',
}

/** The name of a table of ours. Statements take it from here, never from input. */
export type TableName = (typeof TABLES)[number]

/** The table of the alerts' states. Not telemetry: the space guard leaves it alone. */
export const ALERT_STATES = 'alert_states'

/** The table of what happened to alerts. */
export const ALERT_TRANSITIONS = 'alert_transitions'

/** The table of messages that were delivered or given up. */
export const NOTIFICATIONS = 'notifications'

/** A table of rules and alerts. */
export type AlertTable = typeof ALERT_STATES | typeof ALERT_TRANSITIONS

/** Every table of the alerts' history, and the day of its rows: they are partitioned by month, or not at all. */
export const ALERT_DAYS = {
  [ALERT_STATES]: 'toDate(at)',
  [ALERT_TRANSITIONS]: 'toDate(at)',
  [NOTIFICATIONS]: 'toDate(created)',
} as const
