import { formatDuration } from '../../model/duration.ts'
import type { ScrapeView } from './start-scraper.ts'

/** What of the targets is wanted: `state` as in Prometheus' API (`active`, `dropped`, anything else: both), `scrapePool` '' for all. */
export interface TargetsQuestion {
  readonly state: string
  readonly scrapePool: string
}

/** `data` of Prometheus' `/api/v1/targets`. */
export function prometheusTargets(view: ScrapeView, { state, scrapePool }: TargetsQuestion): object {
  const isWanted = ({ job }: { readonly job: string }) => scrapePool === '' || job === scrapePool
  const active = state === 'dropped' ? [] : view.active.filter(isWanted)
  const dropped = state === 'active' ? [] : view.dropped.filter(isWanted)
  const counts: Record<string, number> = Object.create(null)
  for (const { job } of dropped) counts[job] = (counts[job] ?? 0) + 1
  return {
    activeTargets: active.map((target) => ({
      discoveredLabels: target.discoveredLabels,
      labels: target.labels,
      scrapePool: target.job,
      scrapeUrl: target.url,
      globalUrl: target.url,
      lastError: target.lastError,
      lastScrape: new Date(target.lastScrapeMs ?? -62_135_596_800_000).toISOString(),
      lastScrapeDuration: target.lastDurationMs / 1000,
      health: target.health,
      scrapeInterval: formatDuration(target.intervalMs),
      scrapeTimeout: formatDuration(target.timeoutMs),
    })),
    droppedTargets: dropped.map(({ job, discoveredLabels, reason }) => ({
      discoveredLabels,
      scrapePool: job,
      ...(reason === null ? {} : { reason }),
    })),
    droppedTargetCounts: counts,
  }
}
