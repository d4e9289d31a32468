import type { Matcher } from '../../../model/matcher.ts'
import { numberArraysOf, textsOf } from '../../../storage/block-columns.ts'
import type { Storage } from '../../../storage/storage.ts'
import type { RollUp } from '../../traces/roll-up-source.ts'
import { spanMetricConditions } from './span-metric-conditions.ts'
import { FIRST_BOUND_POWER, SPAN_BUCKET_BOUNDS } from './span-metric-families.ts'
import { ROLL_UP_COLUMNS, SPAN_METRIC_LABELS } from './span-metric-labels.ts'
import { DAY_SECONDS, REACH_SECONDS } from './walk-span-slots.ts'

/** Which roll-up, for whom, for samples in (fromMs, toMs]. */
export interface SpanCountsRequest {
  readonly tenant: string
  readonly rollUp: RollUp
  readonly matchers: readonly Matcher[]
  readonly fromMs: number
  readonly toMs: number
  /** Counts are told apart by bucket. */
  readonly withBuckets: boolean
  readonly signal?: AbortSignal | undefined
}

/** What was counted of the calls with one set of labels: arrays of equal length, in no order. */
export interface SpanCounts {
  /** Values of the roll-up's labels, in the order of SPAN_METRIC_LABELS. */
  readonly labels: readonly string[]
  /** Beginning of the slot, epoch seconds; 0: all of the base day before the first slot. */
  readonly slots: ArrayLike<number>
  readonly calls: ArrayLike<number>
  readonly failed: ArrayLike<number>
  readonly nanos: ArrayLike<number>
  /** Index of the bound of SPAN_BUCKET_BOUNDS, as many as there are for the last bucket; empty when not asked for. */
  readonly bounds: ArrayLike<number>
}

/** What was read, and the day that the first slots lie on. */
export interface SpanCountsAnswer {
  readonly counts: readonly SpanCounts[]
  /** Days since the epoch. */
  readonly baseDay: number
}

/** Slots of the coarser roll-up, of which the base is summed up, are so wide. */
const COARSE_SECONDS = 300
/** ClickHouse's DateTime ends there. */
const LAST_SECOND = 2 ** 32 - 1

/** Reads what the samples of a range need to know: slots from a little before the range on, and what that day had before them. Throws what `Storage.select` throws. */
export async function readSpanCounts(
  storage: Storage,
  request: SpanCountsRequest,
): Promise<SpanCountsAnswer> {
  const { rollUp, tenant, matchers, withBuckets, signal } = request
  const reach = Math.max(0, Math.floor(request.fromMs / 1000) - REACH_SECONDS)
  const from = Math.floor(reach / COARSE_SECONDS) * COARSE_SECONDS
  const to = Math.min(LAST_SECOND, Math.floor(request.toMs / 1000))
  const baseDay = Math.floor(from / DAY_SECONDS)
  if (to < from) return { counts: [], baseDay }
  const { sql: condition, params } = spanMetricConditions(rollUp, matchers)
  const columns = ROLL_UP_COLUMNS[rollUp].join(', ')
  const bound = withBuckets ? `, ${BOUND} AS bound` : ''
  const branch = (table: string, slot: string, where: string) => `SELECT ${columns}, ${slot} AS at${bound},
      sum(calls) AS called, sumIf(calls, is_error) AS errors, sum(duration_sum_ns) AS nanoseconds
    FROM ${table}
    WHERE tenant = {tenant:String} AND ${where} AND ${condition}
    GROUP BY ${columns}, at${withBuckets ? ', bound' : ''}`
  const { blocks } = await storage.selectColumns({
    name: `metrics.spans.${rollUp}`,
    tenant,
    sql: `SELECT
  ${SPAN_METRIC_LABELS[rollUp].map(({ sql, name }) => `${sql} AS label_${name}`).join(',\n  ')},
  groupArray(at) AS slots, groupArray(toFloat64(called)) AS calls, groupArray(toFloat64(errors)) AS failed,
  groupArray(toFloat64(nanoseconds)) AS nanos${withBuckets ? ', groupArray(bound) AS bounds' : ''}
FROM (
    ${branch(`${rollUp}_10s`, 'toUInt32(slot)', `${between('from', 'to')} AND ${hours('from', 'to')}`)}
    UNION ALL
    ${branch(`${rollUp}_5m`, 'toUInt32(0)', before('day', 'from'))}
)
GROUP BY ${columns}`,
    params: { ...params, from, to, day: baseDay * DAY_SECONDS },
    ...(signal === undefined ? {} : { signal }),
  })
  const counts = blocks.flatMap((block) => {
    const labels = SPAN_METRIC_LABELS[rollUp].map(({ name }) => textsOf(block, `label_${name}`))
    const array = (name: string) => {
      const { ends, values } = numberArraysOf(block, name)
      const numbers = values as Exclude<typeof values, BigInt64Array | BigUint64Array>
      return (row: number) => numbers.subarray(row === 0 ? 0 : ends[row - 1], ends[row])
    }
    const [slots, calls, failed, nanos] = [array('slots'), array('calls'), array('failed'), array('nanos')]
    const bounds = withBuckets ? array('bounds') : () => []
    return Array.from({ length: block.rows }, (_, row) => ({
      labels: labels.map((values) => values[row] ?? ''),
      slots: slots(row),
      calls: calls(row),
      failed: failed(row),
      nanos: nanos(row),
      bounds: bounds(row),
    }))
  })
  return { counts, baseDay }
}

/** Bucket b of the roll-ups ends at 2^((b + 1) / 4). */
const BOUND = `toUInt8(least(greatest(intDiv(bucket + 4, 4), ${FIRST_BOUND_POWER}), ${FIRST_BOUND_POWER + SPAN_BUCKET_BOUNDS.length}) - ${FIRST_BOUND_POWER})`

/** Bound as a number of seconds: as text, a `DateTime` parameter would be read in the server's time zone. */
function at(parameter: string): string {
  return `toDateTime({${parameter}:Int64}, 'UTC')`
}

function between(from: string, to: string): string {
  return `slot >= ${at(from)} AND slot <= ${at(to)}`
}

function before(from: string, to: string): string {
  return `slot >= ${at(from)} AND slot < ${at(to)}`
}

/** The hour is the second column of the sorting key. */
function hours(from: string, to: string): string {
  return `toStartOfHour(slot) >= toStartOfHour(${at(from)}) AND toStartOfHour(slot) <= toStartOfHour(${at(to)})`
}
