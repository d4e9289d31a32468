import { createIdSet, type IdSet } from './id-set.ts'
import { createLabelSpread, type LabelSpread } from './label-spread.ts'
import { type AskingSeries, NO_SERIES_LIMIT, type SeriesLimit, type SeriesLimiter } from './series-limiter.ts'

/** A series was refused. */
export interface SeriesRefusal {
  readonly tenant: string
  readonly metric: string
  /** The limit that is reached. */
  readonly limit: keyof SeriesLimit
  /** Series there are: of the metric, or of all. */
  readonly series: number
  /** The metric's label with the most values, and about how many; null when it has none. Costs a little. */
  readonly widest: LabelSpread['widest']
}

/** What a limiter works with. */
export interface SeriesLimiterOptions {
  readonly limit: SeriesLimit
  /** Asks, once, for the series that a tenant had before; {@link SeriesLimiter.learn} gets them some time. */
  readonly askKnown: (tenant: string) => void
  readonly onRefused: (refusal: SeriesRefusal) => void
}

interface Metric {
  /** Series of today or yesterday. */
  series: number
  today: number
  /** Null while the metric is far from a limit. */
  spread: LabelSpread | null
}

interface Tenant {
  readonly name: string
  day: number
  today: IdSet
  yesterday: IdSet
  total: number
  readonly metrics: Map<string, Metric>
  isKnown: boolean
}

/** Beyond these, metrics are limited together with all others only: senders choose how many there are. */
const MAX_METRICS = 100_000
/** Metrics whose labels are counted, over all tenants. */
const MAX_SPREADS = 200

/** Makes a limiter. Without limits it does nothing. */
export function createSeriesLimiter(options: SeriesLimiterOptions): SeriesLimiter {
  const { limit } = options
  if (limit.global === 0 && limit.perMetric === 0) return NO_SERIES_LIMIT
  const tenants = new Map<string, Tenant>()
  const untold: Metric = { series: 0, today: 0, spread: null }
  let spreads = 0
  let epoch = 0
  let tenant = newTenant('', 0)
  /** Taken since `begin`: two halves of the id each, and beside it whose it is and whether it was there yesterday. */
  let freshIds: number[] = []
  let fresh: { readonly metric: Metric; readonly isNew: boolean }[] = []

  function metricOf(name: string): Metric {
    const known = tenant.metrics.get(name)
    if (known !== undefined) return known
    if (tenant.metrics.size >= MAX_METRICS) return untold
    const metric: Metric = { series: 0, today: 0, spread: null }
    tenant.metrics.set(name, metric)
    return metric
  }

  function turnTo(day: number): void {
    if (day <= tenant.day) return
    tenant.yesterday = day === tenant.day + 1 ? tenant.today : createIdSet()
    const isGap = tenant.yesterday !== tenant.today
    tenant.today = createIdSet()
    tenant.total = tenant.yesterday.size()
    tenant.day = day
    for (const [name, metric] of tenant.metrics) {
      metric.series = isGap ? 0 : metric.today
      metric.today = 0
      if (metric.series > 0) continue
      if (metric.spread !== null) spreads--
      tenant.metrics.delete(name)
    }
    epoch++
  }

  /** The limit that a new series would pass. */
  function passed(metric: Metric): keyof SeriesLimit | null {
    if (limit.perMetric > 0 && metric !== untold && metric.series >= limit.perMetric) return 'perMetric'
    return limit.global > 0 && tenant.total >= limit.global ? 'global' : null
  }

  /** Labels are counted from half of a limit on, so that it is known by then which of them is at fault. */
  function count(metric: Metric, labels: AskingSeries['labels'], isRefused: boolean): void {
    if (metric === untold) return
    if (metric.spread === null) {
      const isNear =
        isRefused ||
        (limit.perMetric > 0 && metric.series * 2 >= limit.perMetric) ||
        (limit.global > 0 && tenant.total * 2 >= limit.global && metric.series * 100 >= limit.global)
      if (!isNear || spreads >= MAX_SPREADS) return
      metric.spread = createLabelSpread()
      spreads++
    }
    metric.spread.add(labels())
  }

  return {
    epoch: () => epoch,
    active: () => new Map([...tenants].map(([name, { total }]) => [name, total])),
    begin: (name, day) => {
      freshIds = []
      fresh = []
      if (tenant.name !== name || !tenants.has(name)) {
        const known = tenants.get(name)
        tenant = known ?? newTenant(name, day)
        if (known === undefined) {
          tenants.set(name, tenant)
          options.askKnown(name)
        }
      }
      turnTo(day)
    },
    rollback: () => {
      if (fresh.length > 0) epoch++
      for (const [index, { metric, isNew }] of fresh.entries()) {
        tenant.today.remove(freshIds[index * 2] as number, freshIds[index * 2 + 1] as number)
        metric.today--
        if (!isNew) continue
        metric.series--
        tenant.total--
      }
      freshIds = []
      fresh = []
    },
    admits: ({ metric: name, ids, idStart, labels }) => {
      const low = readUint32(ids, idStart)
      const high = readUint32(ids, idStart + 4)
      if (tenant.today.has(low, high)) return true
      const metric = metricOf(name)
      const isNew = !tenant.yesterday.has(low, high)
      if (isNew && tenant.isKnown) {
        const reached = passed(metric)
        if (reached !== null) {
          count(metric, labels, true)
          const series = reached === 'global' ? tenant.total : metric.series
          const widest = () => metric.spread?.widest() ?? null
          options.onRefused({ tenant: tenant.name, metric: name, limit: reached, series, widest })
          return false
        }
      }
      // While the tenant's series are not known none is refused; more than the limit need not be remembered.
      if (!tenant.isKnown && limit.global > 0 && tenant.total >= 2 * limit.global) return true
      tenant.today.add(low, high)
      metric.today++
      if (isNew) {
        metric.series++
        tenant.total++
      }
      freshIds.push(low, high)
      fresh.push({ metric, isNew })
      count(metric, labels, false)
      return true
    },
    learn: (known) => {
      const before = tenant
      tenant = tenants.get(known.tenant) ?? before
      if (tenant.name === known.tenant) {
        const halves = new Uint32Array(known.ids.buffer, known.ids.byteOffset, known.ids.length * 2)
        let from = 0
        for (const [index, name] of known.metrics.entries()) {
          const metric = metricOf(name)
          const to = known.ends[index] ?? from
          for (let at = from; at < to; at++) {
            const low = halves[at * 2] as number
            const high = halves[at * 2 + 1] as number
            if (tenant.today.has(low, high) || !tenant.yesterday.add(low, high)) continue
            metric.series++
            tenant.total++
          }
          from = to
        }
        tenant.isKnown = true
        epoch++
      }
      tenant = before
    },
  }
}

function newTenant(name: string, day: number): Tenant {
  return {
    name,
    day,
    today: createIdSet(),
    yesterday: createIdSet(),
    total: 0,
    metrics: new Map(),
    isKnown: false,
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}
