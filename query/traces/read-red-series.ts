import type { SpanKind } from '../../model/span.ts'
import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'

/** Which services, range and steps, for whom. */
export interface ReadRedSeriesRequest {
  readonly tenant: string
  readonly services: readonly string[]
  readonly kinds: readonly SpanKind[]
  /** One series per operation of a service instead of one per service. */
  readonly isByOperation: boolean
  /** Epoch milliseconds, inclusive, a multiple of {@link RED_SLOT_MS}. */
  readonly startMs: number
  /** A multiple of {@link RED_SLOT_MS}. */
  readonly stepMs: number
  readonly steps: number
  readonly signal?: AbortSignal | undefined
}

/** Requests, errors and durations of one step. */
export interface RedStep {
  readonly calls: number
  readonly errors: number
  /** Calls by duration bucket: quarter powers of two of nanoseconds, see {@link bucketQuantile}. */
  readonly buckets: ReadonlyMap<number, number>
}

/** Requests, errors and durations of a service (or one operation of it) over time. */
export interface RedSeries {
  readonly service: string
  /** Null unless the series are by operation. */
  readonly operation: string | null
  /** One per step of the request; a step without calls is null. */
  readonly steps: readonly (RedStep | null)[]
}

/** Steps of all series of one answer: each is a place in memory, whether it has calls or not. */
export const MAX_RED_STEPS = 500_000

/** The finest step there is: the roll-ups hold slots of ten seconds. */
export const RED_SLOT_MS = 10_000

interface Row {
  readonly service: string
  readonly operation: string
  readonly step: string
  readonly calls: string
  readonly errors: string
  readonly buckets: Readonly<Record<string, string>>
}

/** Steps beyond these are read from the coarser roll-up, whose slots are five minutes long. */
const COARSE_SLOT_MS = 300_000

/**
 * Reads requests, errors and durations over time from the roll-ups, by service and operation. A series without a call in
 * the range is not there. Throws RESULT_TOO_LARGE when the series have more than {@link MAX_RED_STEPS} steps together, and what
 * `Storage.select` throws.
 */
export async function readRedSeries(deps: QueryDeps, request: ReadRedSeriesRequest): Promise<RedSeries[]> {
  const { tenant, services, kinds, isByOperation, startMs, stepMs, steps, signal } = request
  const isCoarse = stepMs % COARSE_SLOT_MS === 0 && startMs % COARSE_SLOT_MS === 0
  const rows = await deps.storage.select<Row>({
    name: 'traces.redSeries',
    tenant,
    sql: `
      SELECT service, operation, step, sum(bucket_calls) AS calls, sum(bucket_errors) AS errors,
        CAST((groupArray(toString(bucket)), groupArray(toString(bucket_calls))), 'Map(String, String)') AS buckets
      FROM (
        SELECT service, ${isByOperation ? 'name' : "''"} AS operation,
          intDiv(toUnixTimestamp(slot) - {start:Int64}, {step:Int64}) AS step,
          bucket, sum(calls) AS bucket_calls, sumIf(calls, is_error) AS bucket_errors
        FROM ${isCoarse ? 'red_5m' : 'red_10s'}
        WHERE tenant = {tenant:String} AND service IN {services:Array(String)}
          AND slot >= toDateTime({start:Int64}, 'UTC') AND slot < toDateTime({end:Int64}, 'UTC')
          AND kind IN {kinds:Array(String)}
          ${isCoarse ? '' : "AND toStartOfHour(slot) >= toStartOfHour(toDateTime({start:Int64}, 'UTC'))"}
        GROUP BY service, operation, step, bucket
      )
      GROUP BY service, operation, step
      ORDER BY service, operation, step`,
    params: {
      services: [...services],
      kinds: [...kinds],
      start: startMs / 1000,
      step: stepMs / 1000,
      end: (startMs + stepMs * steps) / 1000,
    },
    ...(signal === undefined ? {} : { signal }),
  })
  return toSeries(rows, steps, isByOperation)
}

function toSeries(rows: readonly Row[], steps: number, isByOperation: boolean): RedSeries[] {
  const series = new Map<string, { service: string; operation: string | null; steps: (RedStep | null)[] }>()
  for (const row of rows) {
    const key = JSON.stringify([row.service, row.operation])
    let one = series.get(key)
    if (one === undefined) {
      if ((series.size + 1) * steps > MAX_RED_STEPS) {
        throw new AppError(
          'RESULT_TOO_LARGE',
          `Cannot read metrics: more than ${MAX_RED_STEPS} steps in all, ${steps} of each series`,
        )
      }
      one = {
        service: row.service,
        operation: isByOperation ? row.operation : null,
        steps: new Array<RedStep | null>(steps).fill(null),
      }
      series.set(key, one)
    }
    one.steps[Number(row.step)] = {
      calls: Number(row.calls),
      errors: Number(row.errors),
      buckets: new Map(Object.entries(row.buckets).map(([bucket, calls]) => [Number(bucket), Number(calls)])),
    }
  }
  return [...series.values()]
}

/**
 * The quantile of durations in buckets, nanoseconds, interpolated evenly inside a bucket (as Prometheus does); NaN when
 * there are none. A bucket ends at `2^((bucket + 1) / 4) - 1` ns, so the error is under 19 %. `quantile` is 0 … 1.
 */
export function bucketQuantile(buckets: ReadonlyMap<number, number>, quantile: number): number {
  const ordered = [...buckets].sort(([a], [b]) => a - b)
  const total = ordered.reduce((sum, [, calls]) => sum + calls, 0)
  const rank = quantile * total
  let below = 0
  for (const [bucket, calls] of ordered) {
    if (calls > 0 && below + calls >= rank) {
      const lower = 2 ** (bucket / 4) - 1
      const upper = 2 ** ((bucket + 1) / 4) - 1
      return lower + (upper - lower) * Math.max(0, (rank - below) / calls)
    }
    below += calls
  }
  return Number.NaN
}
