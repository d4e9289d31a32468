import type { Parameter } from '../../storage/storage.ts'

/** A piece of a statement with the values of its `{name:Type}` parameters. */
export interface BoundSql {
  readonly sql: string
  readonly params: Readonly<Record<string, Parameter>>
}

/** Joins conditions with AND; without any, the result is the condition that always holds. */
export function allOf(conditions: readonly BoundSql[]): BoundSql {
  return {
    sql: conditions.length === 0 ? '1' : conditions.map(({ sql }) => sql).join('\n  AND '),
    params: Object.assign({}, ...conditions.map(({ params }) => params)),
  }
}

/**
 * The condition that a table's `ts` lies in a range; epoch nanoseconds, both inclusive. The five-minute bucket is the
 * second column of the sorting key, so it comes first.
 */
export function timeRange(startNs: bigint, endNs: bigint): BoundSql {
  const at = (name: string) => `fromUnixTimestamp64Nano({${name}:Int64}, 'UTC')`
  const bucket = 'toStartOfFiveMinutes(ts)'
  // Before 1970 there is nothing.
  const params =
    endNs < 0n ? { startNs: 1n, endNs: 0n } : { startNs: storable(startNs), endNs: storable(endNs) }
  return {
    sql: [
      ...(params.startNs > LAST_BUCKET_NS ? [] : [`${bucket} >= toStartOfFiveMinutes(${at('startNs')})`]),
      ...(params.endNs > LAST_BUCKET_NS ? [] : [`${bucket} <= toStartOfFiveMinutes(${at('endNs')})`]),
      `ts >= ${at('startNs')} AND ts <= ${at('endNs')}`,
    ].join(' AND '),
    params,
  }
}

/** Buckets are of type `DateTime`, which ends in 2106 and then begins again. */
const LAST_BUCKET_NS = (2n ** 32n - 1n) * 1_000_000_000n

/** The set of trace ids (32 hex digits each) as the right side of IN. As a subquery it reaches the indexes. */
export function traceIdSet(name: string): string {
  return `(SELECT toFixedString(unhex(arrayJoin({${name}:Array(String)})), 16))`
}

/** `ts` ends in the year 2262, and its buckets begin in 1970; what lies outside finds nothing either way. */
function storable(nanos: bigint): bigint {
  const max = 9_223_372_036_854_775_807n
  return nanos < 0n ? 0n : nanos > max ? max : nanos
}

/**
 * A moment (epoch milliseconds) as it is bound where its day is compared with a `Date`, and the days beside it too: a `Date` begins in
 * 1970 and ends in 2149, and what lies outside would come in again at the other end.
 */
export function storableDay(ms: number): number {
  return Math.max(DAY_MS, Math.min(Math.floor(ms), 65_534 * DAY_MS))
}

const DAY_MS = 86_400_000
