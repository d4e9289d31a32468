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
  return {
    sql: [
      `toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes(${at('startNs')})`,
      `toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes(${at('endNs')})`,
      `ts >= ${at('startNs')} AND ts <= ${at('endNs')}`,
    ].join(' AND '),
    params: { startNs: storable(startNs), endNs: storable(endNs) },
  }
}

/** The set of trace ids (32 hex digits each) as the right side of IN. As a subquery it reaches the indexes. */
export function traceIdSet(name: string): string {
  return `(SELECT toFixedString(unhex(arrayJoin({${name}:Array(String)})), 16))`
}

/** `ts` ends in the year 2262 and begins in 1900; what lies outside finds nothing either way. */
function storable(nanos: bigint): bigint {
  const min = -2_208_988_800_000_000_000n
  const max = 9_223_372_036_854_775_807n
  return nanos < min ? min : nanos > max ? max : nanos
}
