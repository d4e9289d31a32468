import type { Storage } from '../../../storage/storage.ts'
import type { CardinalityRequest } from './cardinality-request.ts'
import { type ActiveSeries, countActiveSeries } from './count-active-series.ts'
import { countByLabel, type LabelCardinality, type PairCardinality } from './count-by-label.ts'
import { countByMetric, type MetricCardinality } from './count-by-metric.ts'
import { findOffenders, type Offender } from './find-offenders.ts'
import { type Growth, readGrowth } from './read-growth.ts'

/** How many series there are, and of what. */
export interface Cardinality {
  readonly metrics: number
  /** Told of today or yesterday (UTC). A histogram of OTLP counts as one. */
  readonly series: number
  readonly activeInHour: ActiveSeries
  readonly newInHour: number
  readonly newInDay: number
  readonly byMetric: readonly MetricCardinality[]
  readonly byLabel: readonly LabelCardinality[]
  readonly byPair: readonly PairCardinality[]
  readonly growth: Growth
  readonly offenders: readonly Offender[]
}

const HOUR_MS = 3_600_000

/** Reads the cardinality of the series that match. `pairsOf`: the label whose values are counted; null: of all. */
export async function readCardinality(
  storage: Storage,
  request: CardinalityRequest,
  pairsOf: string | null,
): Promise<Cardinality> {
  const [metrics, { labels, pairs }, growth] = await Promise.all([
    countByMetric(storage, request),
    countByLabel(storage, request, pairsOf),
    readGrowth(storage, request),
  ])
  const [offenders, activeInHour] = await Promise.all([
    findOffenders(storage, request, metrics.growing),
    countActiveSeries(storage, request, metrics.series, request.nowMs - HOUR_MS),
  ])
  return {
    metrics: metrics.metrics,
    series: metrics.series,
    activeInHour,
    newInHour: metrics.newInHour,
    newInDay: metrics.newInDay,
    byMetric: metrics.most,
    byLabel: labels.slice(0, request.limit),
    byPair: pairs,
    growth,
    offenders,
  }
}
