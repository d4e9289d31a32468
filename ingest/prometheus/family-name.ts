import { METADATA_TYPES, type MetadataType } from './metadata-types.ts'

const SUFFIXES: Partial<Record<MetadataType, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count'],
}

/**
 * The metric that a series belongs to, by the series' name and the metric's type (a number of {@link METADATA_TYPES}): `rpc_seconds` of
 * `rpc_seconds_bucket`. Remote write 2.0 tells metadata with each series.
 */
export function familyName(series: string, type: number): string {
  const suffixes = SUFFIXES[METADATA_TYPES[type] ?? 'unknown'] ?? []
  const suffix = suffixes.find((each) => series.endsWith(each) && series.length > each.length)
  return suffix === undefined ? series : series.slice(0, -suffix.length)
}
