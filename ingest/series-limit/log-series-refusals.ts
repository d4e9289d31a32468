import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { SeriesRefusal } from './create-series-limiter.ts'
import type { SeriesLimit } from './series-limiter.ts'

const PERIOD_MS = 60_000
/** Lines a minute; more metrics than that are not named. */
const MAX_LINES = 10

/** Makes the listener that logs refused series: a line a minute for each metric, ten at most, which names the label at fault. */
export function logSeriesRefusals(
  logger: Logger,
  clock: Pick<Clock, 'monotonic'>,
  limits: SeriesLimit,
): (refusal: SeriesRefusal) => void {
  const said = new Set<string>()
  let sinceMs = Number.NEGATIVE_INFINITY
  return ({ tenant, metric, limit, series, widest }) => {
    const nowMs = clock.monotonic()
    if (nowMs - sinceMs >= PERIOD_MS) {
      said.clear()
      sinceMs = nowMs
    }
    const key = `${tenant.length} ${tenant} ${metric}`
    if (said.has(key) || said.size >= MAX_LINES) return
    said.add(key)
    const label = widest()
    const whose = limit === 'global' ? 'the tenant has' : 'it has'
    const fault = label === null ? '' : `; its label ${label.label} has about ${label.values} values`
    logger.warn(
      {
        event: 'series_limit',
        tenant,
        metric,
        limit,
        series,
        ...(label === null ? {} : { label: label.label, labelValues: label.values }),
      },
      `Cannot take new series of ${metric}: ${whose} ${series}, and ingest.seriesLimit.${limit} is ${limits[limit]}${fault}`,
    )
  }
}
