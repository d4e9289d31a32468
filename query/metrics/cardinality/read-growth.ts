import type { Storage } from '../../../storage/storage.ts'
import { dayCondition } from '../index-condition.ts'
import { matcherConditions } from '../matcher-conditions.ts'
import { resolveMatchers } from '../resolve-matchers.ts'
import { type CardinalityRequest, currentSeries, questionOf } from './cardinality-request.ts'

/** How many series came in an hour or day. */
export interface GrowthSlot {
  /** Start of the slot, epoch milliseconds. */
  readonly atMs: number
  readonly newSeries: number
}

/** Of a day also how many series there were. */
export interface GrowthDay extends GrowthSlot {
  readonly series: number
}

/** New series by hour and by day. */
export interface Growth {
  /** The last 24, the running one last. */
  readonly hours: readonly GrowthSlot[]
  /** The last 7 (UTC), today last. */
  readonly days: readonly GrowthDay[]
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const HOURS = 24
const DAYS = 7

/** Reads how the number of series grew. */
export async function readGrowth(storage: Storage, request: CardinalityRequest): Promise<Growth> {
  const base = await currentSeries(storage, request, DAYS)
  const nowMs = request.nowMs
  const firstHour = Math.floor(nowMs / HOUR_MS) - (HOURS - 1)
  const firstDay = Math.floor(nowMs / DAY_MS) - (DAYS - 1)
  const [slots, seriesOfDay] = await Promise.all([
    storage.select<{ hour: number; newSeries: string }>({
      ...questionOf(request),
      name: 'metrics.cardinality.growth',
      sql: `SELECT intDiv(toUnixTimestamp(first), 3600) AS hour, count() AS newSeries
FROM (${base.sql})
WHERE hour >= {sinceHour:UInt32}
GROUP BY hour`,
      params: { ...base.params, sinceHour: Math.max(0, firstDay * 24) },
    }),
    countByDay(storage, request, firstDay),
  ])
  const newIn = (from: number, to: number) =>
    slots.reduce((sum, { hour, newSeries }) => (hour >= from && hour < to ? sum + Number(newSeries) : sum), 0)
  return {
    hours: Array.from({ length: HOURS }, (_, index) => ({
      atMs: (firstHour + index) * HOUR_MS,
      newSeries: newIn(firstHour + index, firstHour + index + 1),
    })),
    days: Array.from({ length: DAYS }, (_, index) => ({
      atMs: (firstDay + index) * DAY_MS,
      newSeries: newIn((firstDay + index) * 24, (firstDay + index + 1) * 24),
      series: seriesOfDay.get(firstDay + index) ?? 0,
    })),
  }
}

async function countByDay(
  storage: Storage,
  request: CardinalityRequest,
  firstDay: number,
): Promise<Map<number, number>> {
  const { tenant, signal } = request
  const fromMs = firstDay * DAY_MS
  const matchers = await resolveMatchers(storage, { tenant, matchers: request.matchers, fromMs, signal })
  const { sql, params } = matcherConditions(matchers)
  const days = dayCondition(fromMs + DAY_MS)
  const rows = await storage.select<{ dayNumber: number; series: string }>({
    ...questionOf(request),
    name: 'metrics.cardinality.days',
    sql: `SELECT toUInt16(day) AS dayNumber, uniq(name, id) AS series
FROM prom_series
WHERE ${days.sql} AND ${sql}
GROUP BY day`,
    params: { ...params, ...days.params },
  })
  return new Map(rows.map(({ dayNumber, series }) => [dayNumber, Number(series)]))
}
