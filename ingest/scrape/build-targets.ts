import { formatDuration, parseDuration } from '../../model/duration.ts'
import { type Labels, labelPairs, labelsFrom, labelsKey, labelValue } from '../../model/labels.ts'
import { spreadOffset } from '../../model/slot.ts'
import { createRelabel } from './relabel.ts'
import type { ScrapeJob, TargetGroup } from './scrape-job.ts'

/** One page that is asked for again and again. */
export interface ScrapeTarget {
  readonly job: ScrapeJob
  readonly url: string
  /** What its series are labelled with: `job`, `instance` and more. */
  readonly labels: Labels
  /** What was known before relabelling. */
  readonly discovered: Labels
  readonly intervalMs: number
  readonly timeoutMs: number
  /** How far behind the multiples of its interval it is scraped, so that targets are spread. */
  readonly offsetMs: number
  /** Equal for the same target in a later configuration. */
  readonly key: string
}

/** A target that relabelling dropped, or that cannot be used: `reason` null when it was dropped. */
export interface LeftOut {
  readonly job: string
  readonly discovered: Labels
  readonly reason: string | null
}

/**
 * The targets of a job, as Prometheus makes them of groups (those told in the job and those `found` elsewhere) and `relabel_configs`; of several
 * that come out equal, one.
 */
export function buildTargets(
  job: ScrapeJob,
  defaults: { readonly intervalMs: number; readonly timeoutMs: number },
  found: readonly TargetGroup[] = [],
): { readonly targets: readonly ScrapeTarget[]; readonly leftOut: readonly LeftOut[] } {
  const relabel = createRelabel(job.relabelConfigs)
  const targets = new Map<string, ScrapeTarget>()
  const leftOut: LeftOut[] = []
  const intervalMs = job.scrapeInterval ?? defaults.intervalMs
  const timeoutMs = Math.min(job.scrapeTimeout ?? defaults.timeoutMs, intervalMs)
  for (const group of [...job.staticConfigs, ...found]) {
    for (const address of group.targets) {
      const discovered = labelsFrom([
        ['job', job.jobName],
        ['__scheme__', job.scheme],
        ['__metrics_path__', job.metricsPath],
        ['__scrape_interval__', formatDuration(intervalMs)],
        ['__scrape_timeout__', formatDuration(timeoutMs)],
        ...Object.entries(job.params).flatMap(([name, [value = '']]): [string, string][] => [
          [`__param_${name}`, value],
        ]),
        ...Object.entries(group.labels),
        ['__address__', address],
      ])
      const labels = relabel(discovered)
      if (labels === null) {
        leftOut.push({ job: job.jobName, discovered, reason: null })
        continue
      }
      const target = targetOf(job, labels, discovered)
      if (typeof target === 'string') leftOut.push({ job: job.jobName, discovered, reason: target })
      else targets.set(target.key, target)
    }
  }
  return { targets: [...targets.values()], leftOut }
}

function targetOf(job: ScrapeJob, labels: Labels, discovered: Labels): ScrapeTarget | string {
  const address = labelValue(labels, '__address__')
  if (address === '') return 'no address'
  const intervalMs = parseDuration(labelValue(labels, '__scrape_interval__')) ?? 0
  const timeoutMs = parseDuration(labelValue(labels, '__scrape_timeout__')) ?? 0
  if (intervalMs <= 0 || timeoutMs <= 0) return 'its interval or timeout is no duration'
  if (timeoutMs > intervalMs) return 'its timeout is longer than its interval'
  const url = urlOf(job, labels, address)
  if (url === null) return `${JSON.stringify(address)} is no address`
  const own = [...labelPairs(labels)].filter(([name]) => !name.startsWith('__'))
  const instance: [string, string][] = labelValue(labels, 'instance') === '' ? [['instance', address]] : []
  const final = labelsFrom([...own, ...instance])
  const key = `${url} ${labelsKey(final)}`
  return {
    job,
    url,
    labels: final,
    discovered,
    intervalMs,
    timeoutMs,
    offsetMs: spreadOffset(key, intervalMs),
    key,
  }
}

function urlOf(job: ScrapeJob, labels: Labels, address: string): string | null {
  try {
    const url = new URL(`${labelValue(labels, '__scheme__') || 'http'}://${address}`)
    if (url.pathname !== '/' || url.search !== '' || url.username !== '') return null
    url.pathname = labelValue(labels, '__metrics_path__') || '/metrics'
    // Relabelling can give parameters, and change the first value of one.
    for (const [label, value] of labelPairs(labels)) {
      if (label.startsWith('__param_')) url.searchParams.append(label.slice('__param_'.length), value)
    }
    for (const [name, [, ...more]] of Object.entries(job.params)) {
      for (const value of more) url.searchParams.append(name, value)
    }
    return url.toString()
  } catch {
    return null
  }
}
