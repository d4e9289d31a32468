import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { byteSizeSetting, durationSetting } from '../../model/config-values.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { camelCase } from './camel-case.ts'
import type { LoadedJobs } from './load-jobs.ts'
import { protocolList, type ScrapeJob, scrapeJob } from './scrape-job.ts'

/** Sizes are powers of 1024, whichever way their unit is written. */
const binarySize = z.unknown().transform(inBinaryUnit)

const limit = z.int().min(0).default(0)

/** Of a Prometheus configuration file only these parts concern scraping. */
const prometheusFile = z.looseObject({
  global: z
    .looseObject({
      scrapeInterval: durationSetting.prefault('1m'),
      scrapeTimeout: durationSetting.prefault('10s'),
      scrapeProtocols: protocolList.optional(),
      scrapeNativeHistograms: z.boolean().optional(),
      alwaysScrapeClassicHistograms: z.boolean().optional(),
      bodySizeLimit: binarySize.pipe(byteSizeSetting).prefault(0),
      sampleLimit: limit,
      labelLimit: limit,
      labelNameLengthLimit: limit,
      labelValueLengthLimit: limit,
    })
    .prefault({}),
  scrapeConfigs: z.array(z.record(z.string(), z.unknown())).nullable().default([]),
})

type Global = z.output<typeof prometheusFile>['global']

/** What finds targets elsewhere than in the file. */
const DISCOVERY = /^(?!static|fileSd|relabel|metricRelabel).*Configs$/
/** What has no meaning here: passed over. */
const WITHOUT_MEANING = new Set([
  'enableCompression',
  'trackTimestampsStaleness',
  'convertClassicHistogramsToNhcb',
  'keepDroppedTargets',
  'metricNameValidationScheme',
  'metricNameEscapingScheme',
  'enableHttp2',
])

/**
 * Takes over the `scrape_configs` of a Prometheus configuration file (YAML text). What cannot be done here (discovery, plain passwords) is told
 * with its path; a job with a problem is left out. Where the text is not YAML, or its `global` is wrong, that is a failure.
 */
export function readPrometheusConfig(text: string, source: string): LoadedJobs {
  const problems: string[] = []
  let raw: unknown
  try {
    raw = camelCase(parse(text))
  } catch (error) {
    return failed([`${source}: expected YAML: ${errorMessage(error)}`])
  }
  const file = prometheusFile.safeParse(raw ?? {})
  if (!file.success) return failed(file.error.issues.map((issue) => told(source, '', issue)))
  const { global, scrapeConfigs } = file.data
  const jobs = (scrapeConfigs ?? []).flatMap((config, index) => {
    const at = `scrape_configs[${index}]`
    const known: Record<string, unknown> = { ...inherited(global), ...config }
    if ('bodySizeLimit' in known) known['bodySizeLimit'] = inBinaryUnit(known['bodySizeLimit'])
    // Its name before Prometheus 3.
    if ('scrapeClassicHistograms' in known) {
      known['alwaysScrapeClassicHistograms'] = known['scrapeClassicHistograms']
      delete known['scrapeClassicHistograms']
    }
    for (const key of Object.keys(config)) {
      if (WITHOUT_MEANING.has(key)) delete known[key]
      else if (DISCOVERY.test(key)) {
        delete known[key]
        problems.push(
          `${source}: ${at}.${snakeCase(key)}: only static_configs and file_sd_configs are known here; the job has no targets from it`,
        )
      }
    }
    const job = scrapeJob.safeParse({ scrapeInterval: undefined, ...known })
    if (!job.success) {
      problems.push(...job.error.issues.map((issue) => told(source, at, issue)))
      return []
    }
    const { scrapeInterval = global.scrapeInterval, scrapeTimeout = global.scrapeTimeout } = job.data
    const timeout = Math.min(scrapeTimeout, scrapeInterval)
    const limited = withLimits(withPaths(job.data, dirname(source)), global)
    return [{ ...limited, scrapeInterval, scrapeTimeout: timeout }]
  })
  return { jobs, problems, failures: [] }
}

function failed(failures: readonly string[]): LoadedJobs {
  return { jobs: [], problems: [], failures }
}

function inBinaryUnit(size: unknown): unknown {
  return typeof size === 'string' ? size.replace(/^(\d+[KMGT])B$/, '$1iB') : size
}

/** Names of files are relative to the folder of the file that has them. */
function withPaths(job: ScrapeJob, folder: string): ScrapeJob {
  const from = <File extends string | undefined>(file: File) =>
    file === undefined ? file : resolve(folder, file)
  const { fileSdConfigs, basicAuth, authorization, tlsConfig } = job
  const { caFile, certFile, keyFile } = tlsConfig
  return {
    ...job,
    fileSdConfigs: fileSdConfigs.map((one) => ({
      ...one,
      files: one.files.map((file) => resolve(folder, file)),
    })),
    basicAuth: basicAuth && { ...basicAuth, passwordFile: from(basicAuth.passwordFile) },
    authorization: authorization && {
      ...authorization,
      credentialsFile: from(authorization.credentialsFile),
    },
    tlsConfig: { ...tlsConfig, caFile: from(caFile), certFile: from(certFile), keyFile: from(keyFile) },
  }
}

/** Where a job sets no limit, the section `global` may. */
function withLimits(job: ScrapeJob, global: Global): ScrapeJob {
  return {
    ...job,
    bodySizeLimit: job.bodySizeLimit || global.bodySizeLimit,
    sampleLimit: job.sampleLimit || global.sampleLimit,
    labelLimit: job.labelLimit || global.labelLimit,
    labelNameLengthLimit: job.labelNameLengthLimit || global.labelNameLengthLimit,
    labelValueLengthLimit: job.labelValueLengthLimit || global.labelValueLengthLimit,
  }
}

/** What of the section `global` counts for a job that says nothing. */
function inherited(global: Global): Record<string, unknown> {
  const { scrapeProtocols, scrapeNativeHistograms, alwaysScrapeClassicHistograms } = global
  const settings = { scrapeProtocols, scrapeNativeHistograms, alwaysScrapeClassicHistograms }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function told(source: string, at: string, issue: z.core.$ZodIssue): string {
  const path = [
    at,
    ...issue.path.map((key) => (typeof key === 'string' ? snakeCase(key) : `[${String(key)}]`)),
  ]
    .filter((part) => part !== '')
    .join('.')
    .replaceAll('.[', '[')
  return `${source}: ${path}${path === '' ? '' : ': '}${issue.message}`
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
