import type { QueryDeps } from '../query-deps.ts'
import { timeRange } from './bound-sql.ts'
import { locateAttributes } from './locate-attributes.ts'
import { rollUpSource } from './roll-up-source.ts'
import { isSharedOnly, sharedConditions, spanConditions } from './span-conditions.ts'
import type { TraceFilter } from './trace-filter.ts'

/** Which spans to count, in which range, for whom. Epoch milliseconds, end exclusive. */
export interface ReadHeatmapRequest {
  readonly tenant: string
  readonly filter: TraceFilter
  readonly startMs: number
  readonly endMs: number
  /** Width of a column, milliseconds; rounded up to whole tens of seconds. Absent: about sixty columns. */
  readonly stepMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Spans that started in one column of time and lasted as long as one row of durations. */
export interface HeatmapCell {
  /** Start of the column, epoch milliseconds; a multiple of the step. */
  readonly timeMs: number
  /** floor(4 * log2(duration + 1)), the duration in nanoseconds; negative durations count as 0. */
  readonly bucket: number
  readonly spanCount: number
  readonly errorCount: number
}

/** Counts of spans by start time and duration; cells without spans are left out. By time, then bucket. */
export interface Heatmap {
  readonly stepMs: number
  /** `roll-ups`: the range was widened to whole slots of ten seconds. `spans`: it is exact. */
  readonly source: 'roll-ups' | 'spans'
  readonly cells: readonly HeatmapCell[]
}

const COLUMNS = 60
const MAX_COLUMNS = 1_000
/** Steps that people read easily, seconds. */
const STEPS_S = [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400]

/**
 * Counts matching spans by time and duration. Where the filter asks only for what the roll-ups hold, they answer; otherwise
 * the spans are counted. Throws what `Storage.select` throws.
 */
export async function readHeatmap(deps: QueryDeps, request: ReadHeatmapRequest): Promise<Heatmap> {
  const stepMs = heatmapStep(request)
  const isFromRollUps = isSharedOnly(request.filter)
  if (!(request.startMs < request.endMs)) {
    return { stepMs, source: isFromRollUps ? 'roll-ups' : 'spans', cells: [] }
  }
  const statement = isFromRollUps
    ? rollUpStatement({ ...request, stepMs })
    : await spanStatement(deps, request)
  const rows = await deps.storage.select<Row>({
    name: 'traces.heatmap',
    tenant: request.tenant,
    sql: statement.sql,
    params: { ...statement.params, stepS: stepMs / 1000 },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return {
    stepMs,
    source: isFromRollUps ? 'roll-ups' : 'spans',
    cells: rows.map((row) => ({
      timeMs: Number(row.timeS) * 1000,
      bucket: row.durationBucket,
      spanCount: Number(row.spanCount),
      errorCount: Number(row.errorCount),
    })),
  }
}

/** The width of a heatmap's columns, milliseconds: as asked for, but never more than a thousand columns. */
export function heatmapStep(range: {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs?: number | undefined
}): number {
  const rangeS = Math.max(0, range.endMs - range.startMs) / 1000
  const wishedS =
    range.stepMs === undefined
      ? (STEPS_S.find((stepS) => rangeS / stepS <= COLUMNS) ?? 86_400)
      : range.stepMs / 1000
  return Math.max(10, Math.ceil(Math.max(wishedS, rangeS / MAX_COLUMNS) / 10) * 10) * 1000
}

/** The durations of a bucket: nanoseconds, both inclusive. */
export function bucketBounds(bucket: number): { readonly minNs: bigint; readonly maxNs: bigint } {
  return { minNs: bucketStart(bucket), maxNs: bucketStart(bucket + 1) - 1n }
}

/** The shortest whole duration d with floor(4 * log2(d + 1)) >= bucket. */
function bucketStart(bucket: number): bigint {
  if (bucket <= 0) return 0n
  const whole = Math.floor(bucket / 4)
  if (bucket % 4 === 0) return 2n ** BigInt(whole) - 1n
  return BigInt(Math.ceil(2 ** (bucket / 4))) - 1n
}

interface Row {
  readonly timeS: string
  readonly durationBucket: number
  readonly spanCount: string
  readonly errorCount: string
}

function rollUpStatement(request: ReadHeatmapRequest) {
  const source = rollUpSource('red', ROLL_UP_COLUMNS, request, sharedConditions(request.filter))
  return {
    params: source.params,
    sql: `SELECT
  toString(intDiv(toUnixTimestamp(slot), {stepS:Int64}) * {stepS:Int64}) AS timeS,
  bucket AS durationBucket,
  toString(sum(calls)) AS spanCount,
  toString(sumIf(calls, is_error)) AS errorCount
FROM (
  ${source.sql}
)
GROUP BY timeS, durationBucket
ORDER BY toUInt64(timeS), durationBucket`,
  }
}

const ROLL_UP_COLUMNS = ['slot', 'bucket', 'is_error', 'calls']

async function spanStatement(deps: QueryDeps, request: ReadHeatmapRequest) {
  const { tenant, filter, startMs, endMs, signal } = request
  const places = await locateAttributes(deps, {
    tenant,
    attributes: filter.attributes ?? [],
    level: 'span',
    startMs,
    signal,
  })
  const range = timeRange(
    BigInt(Math.floor(startMs * 1000)) * 1000n,
    BigInt(Math.floor(endMs * 1000)) * 1000n - 1n,
  )
  const where = spanConditions(filter, places)
  return {
    params: { ...range.params, ...where.params },
    sql: `SELECT
  toString(intDiv(toUnixTimestamp(toDateTime(ts, 'UTC')), {stepS:Int64}) * {stepS:Int64}) AS timeS,
  toInt16(floor(4 * log2(greatest(duration_ns, 0) + 1))) AS durationBucket,
  toString(count()) AS spanCount,
  toString(countIf(is_error)) AS errorCount
FROM spans
WHERE tenant = {tenant:String}
  AND ${range.sql}
  AND ${where.sql}
GROUP BY timeS, durationBucket
ORDER BY toUInt64(timeS), durationBucket`,
  }
}
