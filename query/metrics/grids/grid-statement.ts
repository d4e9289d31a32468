import type { Parameter } from '../../../storage/storage.ts'
import type { GridRequest } from '../../promql/series-source.ts'
import { type SampleScope, scopeCondition } from '../read-samples.ts'
import { STALE_NAN } from '../stale-nan.ts'
import { type GridFunctionSql, gridParameters } from './grid-functions.ts'
import { BUCKET_JOIN, type GridTable } from './grid-table.ts'

/** A statement and the values of its parameters. */
export interface GridStatement {
  readonly sql: string
  readonly params: Readonly<Record<string, Parameter>>
}

/** The statement that gives the grid of each series: `series`, `bound` of buckets, and `grid`, in which no value is {@link STALE_NAN}. */
export function seriesStatement(
  table: GridTable,
  request: GridRequest,
  scope: SampleScope,
  compute: GridFunctionSql,
): GridStatement {
  const { sql, params } = gridsOf(table, request, scope, compute)
  return {
    sql: `SELECT series${table.hasBuckets ? ', bound' : ''}, arrayMap(x -> ifNull(x, ${STALE_NAN}), nullable) AS grid FROM (
${sql}
)`,
    params,
  }
}

/**
 * The statement that gives what is needed of each group: `grp`, `bound` of buckets that are told apart, `counts` of the values, and `sums` with
 * `magnitudes` (the sums without signs), or `extremes`. `groupOf`: the group of each series of the scope.
 */
export function groupStatement(
  table: GridTable,
  request: GridRequest,
  scope: SampleScope,
  compute: GridFunctionSql,
  { groupOf, tellsBounds }: { readonly groupOf: Uint32Array; readonly tellsBounds: boolean },
): GridStatement {
  // Of a group an ended series is no part; where series stand alone, the mark itself says that there is no value.
  const value = compute.takesMarkers
    ? (one: string, windowMs: number) => withoutMark(compute.value(one, windowMs))
    : compute.value
  const { sql, params } = gridsOf(table, request, scope, { ...compute, value })
  const keys = tellsBounds ? 'grp, bound' : 'grp'
  return {
    sql: `SELECT ${keys}, ${partials(request).join(', ')}
FROM (
${sql}
) AS grids
INNER JOIN (
  SELECT
    toFixedString(substring(unhex({ids:String}), number * 16 + 1, 16), 16) AS id,
    reinterpretAsUInt32(substring(unhex({groups:String}), number * 4 + 1, 4)) AS grp
  FROM numbers({idCount:UInt32})
) AS groups ON groups.id = grids.series
GROUP BY ${keys}`,
    params: {
      ...params,
      groups: Buffer.from(groupOf.buffer, groupOf.byteOffset, groupOf.byteLength).toString('hex'),
    },
  }
}

function withoutMark(value: string): string {
  return `if(reinterpretAsUInt64(ifNull(${value}, 0.0)) = reinterpretAsUInt64(${STALE_NAN}), NULL, ${value})`
}

function partials({ aggregate }: GridRequest): string[] {
  const counts = "CAST(countForEach(nullable), 'Array(UInt32)') AS counts"
  const numbers = (array: string, name: string) => `arrayMap(x -> ifNull(x, 0), ${array}) AS ${name}`
  switch (aggregate?.op) {
    case 'sum':
    case 'avg':
      return [
        counts,
        numbers('sumForEach(nullable)', 'sums'),
        numbers('sumForEach(arrayMap(x -> abs(x), nullable))', 'magnitudes'),
      ]
    case 'min':
    case 'max':
      return [counts, numbers(`${aggregate.op}ForEach(nullable)`, 'extremes')]
    default:
      return [counts]
  }
}

function gridsOf(
  { table, value, marker, condition, hasBuckets }: GridTable,
  { moments, windowMs }: GridRequest,
  scope: SampleScope,
  { aggregate, sample, value: made, takesMarkers }: GridFunctionSql,
): GridStatement {
  const { sql, params } = scopeCondition(scope, scope)
  const ts = table === 'prom_samples' ? 'ts' : 'toDateTime64(ts, 3)'
  const grid = `${aggregate}${gridParameters(moments, windowMs)}(${ts}, ${sample(value, marker)})`
  const mapped = made('x', windowMs)
  const conditions = [
    sql,
    ...(takesMarkers ? [] : [`NOT (${marker})`]),
    ...(condition === null ? [] : [`(${condition})`]),
  ]
  return {
    sql: `  SELECT series${hasBuckets ? ', bound' : ''}, ${mapped === 'x' ? grid : `arrayMap(x -> ${mapped}, ${grid})`} AS nullable
  FROM ${table}${hasBuckets ? ` ${BUCKET_JOIN}` : ''}
  WHERE ${conditions.join(' AND ')}
  GROUP BY series${hasBuckets ? ', bound' : ''}`,
    params,
  }
}
