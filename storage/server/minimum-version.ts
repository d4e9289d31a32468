import { AppError } from '../../runtime/errors.ts'

/**
 * The oldest ClickHouse that has all the program uses: projections as an index by `_part_offset`, down to the granule (25.11),
 * grid aggregates of time series (25.6), deduplication in dependent materialised views (24).
 */
export const MINIMUM_CLICKHOUSE_VERSION = '25.11'

/** Throws CANNOT_START when `version` (`26.7.2.1`) is older than {@link MINIMUM_CLICKHOUSE_VERSION} or not readable. */
export function refuseOldVersion(version: string): void {
  const [major, minor] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = MINIMUM_CLICKHOUSE_VERSION.split('.').map(Number)
  if (major !== undefined && minor !== undefined) {
    if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return
  }
  throw new AppError(
    'CANNOT_START',
    `Cannot use the ClickHouse server: its version ${version} is older than ${MINIMUM_CLICKHOUSE_VERSION}`,
  )
}
