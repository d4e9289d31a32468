import { globSync, readFileSync } from 'node:fs'
import { errorMessage } from '../../runtime/errors.ts'
import type { ScrapeConfig } from './config.ts'
import { readPrometheusConfig } from './read-prometheus-config.ts'
import { readServiceMonitors } from './read-service-monitors.ts'
import type { ScrapeJob } from './scrape-job.ts'

/** Jobs, and what could not be taken over. */
export interface LoadedJobs {
  readonly jobs: readonly ScrapeJob[]
  /** Parts of files that were left out, one line each. */
  readonly problems: readonly string[]
  /** Files that are broken as a whole: gone, unreadable, not what they should be. One line each. */
  readonly failures: readonly string[]
}

/** All jobs that the section names: its own, and those of the files, which are read now. Problems and failures are told, never thrown. */
export function loadJobs(config: ScrapeConfig): LoadedJobs {
  const parts: LoadedJobs[] = [{ jobs: config.jobs, problems: [], failures: [] }]
  if (config.configFile !== null) parts.push(readWith(config.configFile, readPrometheusConfig))
  for (const file of config.serviceMonitorFiles.flatMap(filesOf)) {
    parts.push(readWith(file, (text, source) => readServiceMonitors(text, source, config.services)))
  }
  const jobs: ScrapeJob[] = []
  const problems = parts.flatMap((part) => part.problems)
  const names = new Set<string>()
  for (const job of parts.flatMap((part) => part.jobs)) {
    if (names.has(job.jobName))
      problems.push(`the job ${JSON.stringify(job.jobName)} is there twice: the first counts`)
    else jobs.push(job)
    names.add(job.jobName)
  }
  return { jobs, problems, failures: parts.flatMap((part) => part.failures) }
}

function readWith(file: string, read: (text: string, source: string) => LoadedJobs): LoadedJobs {
  try {
    return read(readFileSync(file, 'utf8'), file)
  } catch (error) {
    const failure = `${file}: expected a readable file: ${errorMessage(error)}`
    return { jobs: [], problems: [], failures: [failure] }
  }
}

function filesOf(pattern: string): readonly string[] {
  return /[*?[\]{}]/.test(pattern) ? globSync(pattern).sort() : [pattern]
}
