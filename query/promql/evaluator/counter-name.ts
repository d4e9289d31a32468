const COUNTER_SUFFIX = /_(total|sum|count|bucket)$/

/** Whether a metric is named like a counter. */
export function isCounterName(name: string): boolean {
  return COUNTER_SUFFIX.test(name)
}
