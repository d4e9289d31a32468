/** Types of metrics, by their numbers in both versions of remote write. */
export const METADATA_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const

/** A type of metric. */
export type MetadataType = (typeof METADATA_TYPES)[number]
