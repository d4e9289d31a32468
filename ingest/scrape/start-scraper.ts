import { Counter, Gauge, type Registry } from 'prom-client'
import { labelsToRecord } from '../../model/labels.ts'
import type { Clock } from '../../runtime/clock.ts'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { buildTargets, type LeftOut, type ScrapeTarget } from './build-targets.ts'
import type { ScrapeConfig } from './config.ts'
import { encodeSamples, type SampleToSend } from './encode-samples.ts'
import { createPageFetcher, type PageFetcher } from './fetch-page.ts'
import { createFileDiscovery } from './file-discovery.ts'
import { type LoadedJobs, loadJobs } from './load-jobs.ts'
import { createRelabel } from './relabel.ts'
import type { ScrapeJob } from './scrape-job.ts'
import { type ScrapeLoop, startScrapeLoop, type TargetHealth } from './scrape-loop.ts'
import { splitSamples } from './split-samples.ts'

/** What the scraper is started with. */
export interface ScraperOptions {
  readonly config: ScrapeConfig
  /** Takes a remote write 2.0 request; resolves when it is durable, with the samples refused. */
  readonly write: (tenant: string, message: Uint8Array) => Promise<{ readonly rejected: number }>
  readonly tenant: string
  readonly programVersion: string
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
}

/** A target as the API shows it. */
export interface TargetView extends TargetHealth {
  readonly job: string
  readonly url: string
  readonly labels: Readonly<Record<string, string>>
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** All targets, and those that relabelling dropped or that cannot be used (`reason`). */
export interface ScrapeView {
  readonly active: readonly TargetView[]
  readonly dropped: readonly {
    readonly job: string
    readonly discoveredLabels: Readonly<Record<string, string>>
    readonly reason: string | null
  }[]
}

/** Scrapes all targets. */
export interface Scraper {
  view(): ScrapeView
  /**
   * Reads the files again: targets that are gone end, new ones begin, others go on undisturbed. Throws AppError INVALID_ARGUMENT when a file is
   * broken; then everything stays as it was.
   */
  reload(): Promise<void>
  close(): Promise<void>
}

interface Running {
  readonly loop: ScrapeLoop
  /** As it was found last. */
  target: ScrapeTarget
  /** What it was made from: equal texts, equal behaviour. */
  readonly settings: string
  readonly fetcher: PageFetcher
}

/** Starts to scrape. What cannot be taken over of the files is logged, and the rest is scraped. */
export function startScraper(options: ScraperOptions): Scraper {
  const { config, clock, logger } = options
  const metrics = createScrapeMetrics(options.registry, () => [...running.values()])
  const running = new Map<string, Running>()
  let leftOut: readonly LeftOut[] = []
  let jobs: readonly ScrapeJob[] = []
  let isClosed = false
  const discovery = createFileDiscovery({
    onChange: () => void applyNext(),
    onProblem: (problem) => {
      metrics.targetFileErrors.inc()
      logger.warn({ event: 'scrape_targets', problem }, 'The targets of before stay')
    },
  })

  const write = async (samples: readonly SampleToSend[]): Promise<void> => {
    for (const part of splitSamples(samples)) {
      const { rejected } = await options.write(options.tenant, encodeSamples(part))
      metrics.samples.inc(part.length - rejected)
    }
  }
  const onLost = (target: ScrapeTarget, samples: number, reason: string): void => {
    metrics.lost.inc(samples)
    logger.warn({ event: 'scrape_lost', url: target.url, samples, reason }, 'A scrape could not be stored')
  }

  function start(target: ScrapeTarget, settings: string): Running | null {
    try {
      const fetcher = createPageFetcher(target.job, options.programVersion)
      const relabel = createRelabel(target.job.metricRelabelConfigs)
      const loop = startScrapeLoop({ target, relabel, fetcher, clock, write, onLost })
      return { loop, target, settings, fetcher }
    } catch (error) {
      logger.error({ event: 'scrape_unusable', url: target.url, reason: errorMessage(error) })
      return null
    }
  }

  async function stop(key: string, one: Running, isGone: boolean): Promise<void> {
    running.delete(key)
    await one.loop.stop(isGone)
    await one.fetcher.close()
  }

  function use(loaded: LoadedJobs): void {
    for (const problem of [...loaded.failures, ...loaded.problems]) {
      logger.warn({ event: 'scrape_config', problem }, 'Not taken over')
    }
    jobs = loaded.jobs
  }

  /** Scrapes what the jobs and the files of targets say now. */
  async function apply(): Promise<void> {
    const found = discovery.find(jobs)
    const defaults = { intervalMs: config.interval, timeoutMs: config.timeout }
    const built = jobs.map((job) => buildTargets(job, defaults, found.get(job)))
    leftOut = built.flatMap((part) => part.leftOut)
    const wanted = new Map(built.flatMap(({ targets }) => targets).map((target) => [target.key, target]))
    const gone = [...running].filter(([key]) => !wanted.has(key))
    await Promise.all(gone.map(([key, one]) => stop(key, one, true)))
    for (const [key, target] of wanted) {
      const settings = settingsOf(target)
      const before = running.get(key)
      if (before?.settings === settings) {
        before.target = target
        continue
      }
      // The same series go on under the new settings, so they do not end.
      if (before !== undefined) await stop(key, before, false)
      const started = start(target, settings)
      if (started !== null) running.set(key, started)
    }
  }

  function applyNext(): Promise<void> {
    applying = applying.then(async () => {
      if (!isClosed) await apply()
    })
    return applying
  }

  // A broken file must not keep the server from taking what is sent to it: at the start there are no jobs of before either.
  use(loadJobs(config))
  let applying = apply()
  return {
    view: () => ({
      active: [...running.values()].map(viewOf),
      dropped: leftOut.map(({ job, discovered, reason }) => ({
        job,
        discoveredLabels: labelsToRecord(discovered),
        reason,
      })),
    }),
    reload: async () => {
      const loaded = loadJobs(config)
      if (loaded.failures.length > 0) throw brokenFiles(loaded.failures)
      use(loaded)
      await applyNext()
    },
    close: async () => {
      isClosed = true
      discovery.close()
      await applying
      // What was under way has looked at the files once more.
      discovery.close()
      await Promise.all([...running].map(([key, one]) => stop(key, one, false)))
    },
  }
}

function brokenFiles(failures: readonly string[]): AppError {
  return new AppError('INVALID_ARGUMENT', `Cannot load the scrape jobs: ${failures.join('\n')}`, {
    details: { problems: failures },
  })
}

/** What a loop works by, but for how its target was found: others of its job may come and go. */
function settingsOf({ job, intervalMs, timeoutMs }: ScrapeTarget): string {
  return JSON.stringify([{ ...job, staticConfigs: [], fileSdConfigs: [] }, intervalMs, timeoutMs])
}

function viewOf({ target, loop }: Running): TargetView {
  return {
    ...loop.health(),
    job: target.job.jobName,
    url: target.url,
    labels: labelsToRecord(target.labels),
    discoveredLabels: labelsToRecord(target.discovered),
    intervalMs: target.intervalMs,
    timeoutMs: target.timeoutMs,
  }
}

function createScrapeMetrics(registry: Registry, running: () => readonly Running[]) {
  const registers = [registry]
  new Gauge({
    name: 'meshwatch_scrape_targets',
    help: 'Targets that are scraped, by their health.',
    labelNames: ['health'],
    registers,
    collect() {
      this.reset()
      for (const { loop } of running()) this.inc({ health: loop.health().health })
    },
  })
  return {
    samples: new Counter({
      name: 'meshwatch_scrape_samples_total',
      help: 'Samples scraped and stored.',
      registers,
    }),
    targetFileErrors: new Counter({
      name: 'meshwatch_scrape_target_file_errors_total',
      help: 'Files of targets that could not be read, once for each reason.',
      registers,
    }),
    lost: new Counter({
      name: 'meshwatch_scrape_samples_lost_total',
      help: 'Samples scraped that could not be stored.',
      registers,
    }),
  }
}
