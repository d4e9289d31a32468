import type { Storage } from '../../storage/storage.ts'
import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { count, type Figure, megabytes, ms } from '../figure.ts'
import { fillSeries, type SeriesFilled } from '../fill-series.ts'
import { mulberry32 } from '../mesh-spans.ts'
import { openStorage } from '../open-storage.ts'
import { readProcessUsage } from '../process-usage.ts'
import { quantile } from '../quantile.ts'
import { settleMerges } from '../stored-spans.ts'
import { withDirectory } from '../with-directory.ts'

const SERIES = 1_000_000
const TARGET_MS = 100
/** Questions that do not count. */
const WARM_UP = 3

/** A question for series or labels, and the same one to the rows of `prom_series`, without index. */
interface Question {
  readonly what: string
  path(): string
  /** The condition of a scan, and what it reads; absent: nothing comparable. */
  readonly scan?: string
}

/** A million series of two days: `labels`, `label values` and `series` through the HTTP API, one at a time. */
export async function measureLabelIndex(options: BenchOptions): Promise<readonly Figure[]> {
  const asked = options.questions ?? 40
  return await withDirectory(options, async (directory) => {
    const storage = await openStorage(directory)
    const begun = performance.now()
    const filled = await fillSeries(storage, SERIES)
    console.log(
      `told of ${count(filled.series)} series on two days in ${((performance.now() - begun) / 1000).toFixed(0)} s`,
    )
    await settleMerges(storage, 60)
    const bytes = await readBytes(storage)
    const questions = questionsFor(filled)
    const scans = new Map<string, number>()
    for (const { what, scan } of questions)
      if (scan !== undefined) scans.set(what, await timeScan(storage, scan))
    await storage.close()
    const server = await startBenchServer(directory)
    try {
      const figures: Figure[] = []
      let results = ''
      for (const question of questions) {
        const cpuBefore = readProcessUsage(server.child.pid ?? 0).cpuSeconds
        const { times, rows } = await timeQuestions(server.url, question, asked)
        const cpuMs =
          ((readProcessUsage(server.child.pid ?? 0).cpuSeconds - cpuBefore) * 1000) / (asked + WARM_UP)
        const scanMs = scans.get(question.what)
        const p95 = quantile(times, 0.95)
        figures.push({
          what: `${question.what} (${count(rows)} answered)`,
          value: `p50 ${ms(quantile(times, 0.5))}, p95 ${ms(p95)}`,
          target: `p95 ${TARGET_MS} ms`,
          isReached: p95 <= TARGET_MS,
          beside: `${ms(cpuMs)} of CPU each${scanMs === undefined ? '' : `; scan in ClickHouse: ${ms(scanMs)}`}`,
        })
        results = megabytes(readProcessUsage(server.child.pid ?? 0).rssBytes)
      }
      figures.push({ what: 'resident memory after these', value: results })
      figures.push({
        what: 'on disk: index and values of labels',
        value: megabytes(bytes.index + bytes.values),
        beside: `the rows of two days they are made of: ${megabytes(bytes.series)}`,
      })
      return figures
    } finally {
      await server.stop()
    }
  })
}

function questionsFor({ metrics, pods }: SeriesFilled): Question[] {
  const random = mulberry32(20_261_120)
  const below = (limit: number) => Math.floor(random() * limit)
  const total = () => {
    const metric = below(metrics)
    return `metric_${metric}${metric % 4 === 0 ? '_bucket' : '_total'}`
  }
  const pod = () => `{pod="pod-${below(pods)}-abcde"}`
  const podLike = () => `{pod=~"pod-${below(pods)}-.*"}`
  const job = () => `job="job-${below(20)}"`
  const matching = (path: string, selector: () => string) => () =>
    `${path}?${new URLSearchParams({ 'match[]': selector(), start: 'now-1h' })}`
  return [
    {
      what: 'label/__name__/values',
      path: () => '/label/__name__/values',
      scan: 'SELECT DISTINCT name FROM prom_series WHERE tenant = {tenant:String}',
    },
    {
      what: 'label/job/values',
      path: () => '/label/job/values',
      scan: "SELECT DISTINCT labels['job'] FROM prom_series WHERE tenant = {tenant:String}",
    },
    { what: 'label/pod/values, limit 1000', path: () => '/label/pod/values?limit=1000' },
    {
      what: 'label/pod/values?match[]=m',
      path: matching('/label/pod/values', total),
      scan: "SELECT DISTINCT labels['pod'] FROM prom_series WHERE tenant = {tenant:String} AND name = 'metric_7_total'",
    },
    {
      what: 'label/pod/values?match[]=m{job}',
      path: matching('/label/pod/values', () => `${total()}{${job()}}`),
    },
    {
      what: 'labels',
      path: () => '/labels',
      scan: 'SELECT groupUniqArrayArray(mapKeys(labels)) FROM prom_series WHERE tenant = {tenant:String}',
    },
    { what: 'labels?match[]=m', path: matching('/labels', total) },
    {
      what: 'labels?match[]={job}',
      path: matching('/labels', () => `{${job()}}`),
      scan: "SELECT groupUniqArrayArray(mapKeys(labels)) FROM prom_series WHERE tenant = {tenant:String} AND labels['job'] = 'job-3'",
    },
    { what: 'series?match[]=m', path: matching('/series', total) },
    {
      what: 'series?match[]=m{job}',
      path: matching('/series', () => `${total()}{${job()}}`),
      scan: "SELECT DISTINCT labels FROM prom_series WHERE tenant = {tenant:String} AND name = 'metric_7_total' AND labels['job'] = 'job-3'",
    },
    {
      what: 'series?match[]={pod="p"}',
      path: matching('/series', pod),
      scan: "SELECT DISTINCT labels FROM prom_series WHERE tenant = {tenant:String} AND labels['pod'] = 'pod-7-abcde'",
    },
    { what: 'series?match[]={pod=~"p-.*"}', path: matching('/series', podLike) },
  ]
}

/** Asks one question after the other; the first {@link WARM_UP} do not count. */
async function timeQuestions(
  url: string,
  question: Question,
  asked: number,
): Promise<{ readonly times: readonly number[]; readonly rows: number }> {
  const times: number[] = []
  let rows = 0
  for (let index = -WARM_UP; index < asked; index++) {
    const path = question.path()
    const begun = performance.now()
    const response = await fetch(`${url}/prometheus/api/v1${path}`)
    const body = (await response.json()) as { readonly data?: readonly unknown[] }
    const took = performance.now() - begun
    if (!response.ok || body.data === undefined || body.data.length === 0) {
      throw new Error(
        `Cannot measure ${path}: HTTP ${response.status}, ${JSON.stringify(body).slice(0, 300)}`,
      )
    }
    rows = body.data.length
    if (index >= 0) times.push(took)
  }
  return { times, rows }
}

/** The middle of five runs, milliseconds. */
async function timeScan(storage: Storage, sql: string): Promise<number> {
  const taken: number[] = []
  for (let index = 0; index < 5; index++) {
    const begun = performance.now()
    await storage.select({
      name: 'bench.scan',
      tenant: 'default',
      sql,
      settings: { use_query_condition_cache: 0 },
    })
    taken.push(performance.now() - begun)
  }
  return quantile(taken, 0.5)
}

async function readBytes(storage: Storage) {
  const rows = await storage.select<{ readonly table: string; readonly bytes: string }>({
    name: 'bench.size',
    tenant: 'default',
    sql: `SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE active AND database = currentDatabase() AND {tenant:String} != '' GROUP BY table`,
  })
  const of = (table: string) => Number(rows.find((row) => row.table === table)?.bytes ?? 0)
  return { index: of('prom_index'), values: of('prom_label_values'), series: of('prom_series') }
}
