import type { Matcher } from '../../../model/matcher.ts'
import { numberArraysOf, textsOf } from '../../../storage/block-columns.ts'
import type { ColumnBlock } from '../../../storage/column-block.ts'
import type { Storage } from '../../../storage/storage.ts'
import { tooManySamples } from '../../promql/too-many-samples.ts'
import type { RollUp } from '../../traces/roll-up-source.ts'
import { spanMetricConditions } from './span-metric-conditions.ts'
import { FIRST_BOUND_POWER, SPAN_BUCKET_BOUNDS, type SpanMeasure } from './span-metric-families.ts'
import { ROLL_UP_COLUMNS, SPAN_METRIC_LABELS } from './span-metric-labels.ts'
import { DAY_SECONDS, REACH_SECONDS } from './walk-span-slots.ts'

/** Which roll-up, for whom, for samples in (fromMs, toMs]. */
export interface SpanCountsRequest {
  readonly tenant: string
  readonly rollUp: RollUp
  readonly matchers: readonly Matcher[]
  readonly fromMs: number
  readonly toMs: number
  /** With buckets the other measures are told apart by bucket. */
  readonly measures: ReadonlySet<SpanMeasure>
  readonly maxRows: number
  readonly signal?: AbortSignal | undefined
}

/** What was counted of the calls with one set of labels: arrays of equal length, in no order. */
export interface SpanCounts {
  /** Values of the roll-up's labels, in the order of SPAN_METRIC_LABELS. */
  readonly labels: readonly string[]
  readonly parts: readonly SpanCountsPart[]
}

/** A part of them; measures that were not asked for are empty. */
export interface SpanCountsPart {
  /** Beginning of the slot, epoch seconds; 0: all of the base day before the first slot. */
  readonly slots: ArrayLike<number>
  readonly calls: ArrayLike<number>
  readonly failed: ArrayLike<number>
  readonly nanos: ArrayLike<number>
  /** Index of the bound of SPAN_BUCKET_BOUNDS, as many as there are for the last bucket. */
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
/** A statement's range, so that its answer does not get too large: of some thousand series. */
const PIECE_SECONDS = { plain: 10_800, buckets: 3_600 } as const

/**
 * Reads what the samples of a range need to know: slots from a little before the range on, and what that day had before them. Throws RESULT_TOO_LARGE when
 * these are more than `maxRows`, and what `Storage.select` throws.
 */
export async function readSpanCounts(
  storage: Storage,
  request: SpanCountsRequest,
): Promise<SpanCountsAnswer> {
  const reach = Math.max(0, Math.floor(request.fromMs / 1000) - REACH_SECONDS)
  const from = Math.floor(reach / COARSE_SECONDS) * COARSE_SECONDS
  const to = Math.min(LAST_SECOND, Math.floor(request.toMs / 1000))
  const baseDay = Math.floor(from / DAY_SECONDS)
  const byLabels = new Map<string, { labels: readonly string[]; parts: SpanCountsPart[] }>()
  const width = request.measures.has('bucket') ? PIECE_SECONDS.buckets : PIECE_SECONDS.plain
  let rows = 0
  for (let start = from; start <= to; start += width) {
    const piece = { from: start, to: Math.min(to, start + width - 1), day: baseDay * DAY_SECONDS }
    for (const { labels, part } of await readPiece(storage, request, piece, start === from)) {
      rows += part.slots.length
      if (rows > request.maxRows) throw tooManySamples()
      const key = JSON.stringify(labels)
      const known = byLabels.get(key)
      if (known === undefined) byLabels.set(key, { labels, parts: [part] })
      else known.parts.push(part)
    }
  }
  return { counts: [...byLabels.values()], baseDay }
}

async function readPiece(
  storage: Storage,
  { rollUp, tenant, matchers, measures, signal }: SpanCountsRequest,
  range: { readonly from: number; readonly to: number; readonly day: number },
  withBase: boolean,
): Promise<{ readonly labels: readonly string[]; readonly part: SpanCountsPart }[]> {
  const { sql: condition, params } = spanMetricConditions(rollUp, matchers)
  const columns = ROLL_UP_COLUMNS[rollUp].join(', ')
  const withBuckets = measures.has('bucket')
  const sums = [
    ...(withBuckets || measures.has('calls') ? [['calls', 'sum(red.calls)']] : []),
    ...(measures.has('failed') ? [['failed', 'sumIf(red.calls, is_error)']] : []),
    ...(measures.has('sum') ? [['nanos', 'sum(duration_sum_ns)']] : []),
  ]
  const branch = (table: string, slot: string, where: string) => `SELECT ${columns}, ${slot} AS at${
    withBuckets ? `, ${BOUND} AS bound` : ''
  }, ${sums.map(([name, sum]) => `toFloat64(${sum}) AS ${name}Sum`).join(', ')}
    FROM ${table} AS red
    WHERE tenant = {tenant:String} AND ${where} AND ${condition}
    GROUP BY ${columns}, at${withBuckets ? ', bound' : ''}`
  const branches = [
    branch(`${rollUp}_10s`, 'toUInt32(slot)', `${between('from', 'to')} AND ${hours('from', 'to')}`),
    ...(withBase ? [branch(`${rollUp}_5m`, 'toUInt32(0)', before('day', 'from'))] : []),
  ]
  const { blocks } = await storage.selectColumns({
    name: `metrics.spans.${rollUp}`,
    tenant,
    sql: `SELECT
  ${SPAN_METRIC_LABELS[rollUp].map(({ sql, name }) => `${sql} AS label_${name}`).join(',\n  ')},
  groupArray(at) AS slots, ${sums.map(([name]) => `groupArray(${name}Sum) AS ${name}`).join(', ')}${withBuckets ? ', groupArray(bound) AS bounds' : ''}
FROM (
    ${branches.join('\n    UNION ALL\n    ')}
)
GROUP BY ${columns}`,
    params: { ...params, from: range.from, to: range.to, ...(withBase ? { day: range.day } : {}) },
    ...(signal === undefined ? {} : { signal }),
  })
  return blocks.flatMap((block) => {
    const labels = SPAN_METRIC_LABELS[rollUp].map(({ name }) => textsOf(block, `label_${name}`))
    const slots = arraysOf(block, 'slots')
    const calls = arraysOf(block, 'calls')
    const failed = arraysOf(block, 'failed')
    const nanos = arraysOf(block, 'nanos')
    const bounds = arraysOf(block, 'bounds')
    return Array.from({ length: block.rows }, (_, row) => ({
      labels: labels.map((values) => values[row] ?? ''),
      part: {
        slots: slots(row),
        calls: calls(row),
        failed: failed(row),
        nanos: nanos(row),
        bounds: bounds(row),
      },
    }))
  })
}

/** The arrays of a column, row by row; of a column that was not asked for empty ones. */
function arraysOf(block: ColumnBlock, name: string): (row: number) => ArrayLike<number> {
  if (!block.columns.has(name)) return () => []
  const { ends, values } = numberArraysOf(block, name)
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return () => []
  return (row) => values.subarray(row === 0 ? 0 : ends[row - 1], ends[row])
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
