import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { prometheusVersion, startPrometheus } from '../../test/support/prometheus-process.ts'
import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import {
  askBoth,
  compared,
  emptyTimes,
  forgetPeak,
  peakOf,
  type Sides,
  type Times,
  takeTurns,
  timed,
} from '../compare-sides.ts'
import { feedBoth } from '../feed-both.ts'
import { count, type Figure, megabytes, ms } from '../figure.ts'
import { createMetricLoad, SCRAPE_MS } from '../metric-load.ts'
import { openStorage } from '../open-storage.ts'
import { PROMQL_QUESTIONS, ruleExpressions } from '../promql-questions.ts'
import { quantile } from '../quantile.ts'
import { readStoredSize, settleMerges } from '../stored-spans.ts'
import { withDirectory } from '../with-directory.ts'

const SERIES = 20_000
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** How much there is before the first moment that is asked for. */
const BEFORE_MS = 600_000
const CACHED_MS = 10
const REST_MS = 20_000
/** Of the rules, and how far the moments of their groups lie apart. */
const EVALUATIONS = 10
const GROUP_MS = 750

/** The same series in a Prometheus and in ours, the same questions to both by turns. Ours remembers no answers, but for the last line. */
export function measurePromql(options: BenchOptions): Promise<readonly Figure[]> {
  const version = prometheusVersion()
  if (version === null) throw new Error('Cannot measure: Debian’s package prometheus is not installed')
  const series = options.series ?? SERIES
  const rounds = options.questions ?? 5
  return withDirectory(options, async (directory) => {
    const stops: (() => Promise<unknown>)[] = []
    try {
      const prometheus = await startPrometheus({ args: ['--web.enable-admin-api'] })
      stops.push(prometheus.stop)
      const dataDir = join(directory, 'data')
      const settings = { MESHWATCH_RULES__PACKS: '[]', MESHWATCH_RULES__FILES: '[]' }
      const server = await startBenchServer(dataDir, { ...settings, MESHWATCH_QUERY__CACHE__MAX_SIZE: '0' })
      let isUp = true
      stops.push(async () => (isUp ? await server.stop() : null))
      const both = { theirs: prometheus.url, ours: `${server.url}/prometheus` }
      const pids = { theirs: prometheus.pid, ours: server.child.pid ?? 0 }

      const endMs = Math.floor(Date.now() / 60_000) * 60_000
      const load = createMetricLoad([
        { name: 'requests_total', series, fromMs: endMs - HOUR_MS - BEFORE_MS },
        { name: 'latency_seconds_bucket', series, fromMs: endMs - HOUR_MS - BEFORE_MS },
        { name: 'day_total', series: Math.ceil(series / 10), fromMs: endMs - DAY_MS - 4 * BEFORE_MS },
      ])
      const fedBoth = [
        { name: 'Prometheus', writeUrl: `${both.theirs}/api/v1/write` },
        { name: 'ours', writeUrl: `${both.ours}/api/v1/write` },
      ]
      const [feedTheirs, feedOurs] = await feedBoth(fedBoth, load, endMs - DAY_MS - 4 * BEFORE_MS, endMs)
      let samples = feedOurs?.samples ?? 0
      const waited = await server.caughtUp()
      console.log(
        `${count(samples)} samples; Prometheus took them in ${feedTheirs?.seconds.toFixed(0)} s, ours in ${feedOurs?.seconds.toFixed(0)} s and had them stored ${waited.toFixed(0)} s later`,
      )
      const fed = { theirs: peakOf(pids.theirs), ours: peakOf(pids.ours) }
      // A day in half a minute leaves more to tidy up than a day does.
      await new Promise((resolve) => setTimeout(resolve, REST_MS))
      const figures: Figure[] = []
      for (const question of PROMQL_QUESTIONS) {
        const parameters = {
          query: question.expr,
          start: String((endMs - question.lengthMs) / 1000),
          end: String(endMs / 1000),
          step: String(question.stepMs / 1000),
        }
        await forgetPeak(pids.theirs)
        await forgetPeak(pids.ours)
        const times = await takeTurns(both, pids, rounds, ['query_range', parameters])
        const peak = { theirs: peakOf(pids.theirs), ours: peakOf(pids.ours) }
        figures.push(compared(`\`${question.expr}\`, ${question.what}`, times, 0.5, question.atLeast))
        figures.push({
          what: 'peak memory meanwhile',
          value: megabytes(peak.ours),
          beside: `Prometheus ${megabytes(peak.theirs)}`,
          target: 'less than Prometheus',
          isReached: peak.ours < peak.theirs,
        })
        console.log(
          `${question.expr}: ${ms(quantile(times.ours, 0.5))}, Prometheus ${ms(quantile(times.theirs, 0.5))}`,
        )
      }
      const times = emptyTimes()
      for (let evaluation = 0; evaluation < EVALUATIONS; evaluation++) {
        // Every series is scraped before each evaluation, as it is where rules run.
        const fromMs = endMs + evaluation * SCRAPE_MS
        const [more] = await feedBoth(fedBoth, load, fromMs, fromMs + SCRAPE_MS)
        samples += more?.samples ?? 0
        await server.caughtUp()
        await askRules(both, pids, fromMs + SCRAPE_MS, times)
      }
      figures.push(
        compared(
          'instant queries of 200 rules, a scrape of all series before each of ten evaluations, p50',
          times,
          0.5,
          1,
        ),
      )
      figures.push(compared('… p99', times, 0.99, 1))
      figures.push({
        what: 'peak memory while the series came in',
        value: megabytes(fed.ours),
        beside: `Prometheus ${megabytes(fed.theirs)}`,
      })
      const stored = await storedBytes(prometheus.url)
      await server.stop()
      isUp = false
      figures.push({
        what: 'bytes per sample on disk',
        value: `${((await mergedBytes(dataDir)) / samples).toFixed(2)} B, indexes and all`,
        beside: `Prometheus ${(stored / samples).toFixed(2)} B in blocks`,
      })
      figures.push(await measureRemembered(dataDir, settings, endMs))
      return [
        ...figures,
        { what: 'peer', value: `Prometheus ${version}`, beside: `${count(samples)} samples` },
      ]
    } finally {
      for (const stop of stops.reverse()) await stop()
    }
  })
}

/** Asks both for one evaluation of 20 groups of ten rules, each group at its own moment. */
async function askRules(both: Sides<string>, pids: Sides<number>, atMs: number, times: Times): Promise<void> {
  for (const [number, query] of ruleExpressions().entries()) {
    const time = String((atMs + Math.floor(number / 10) * GROUP_MS) / 1000)
    await askBoth(both, pids, ['query', { query, time }], times)
  }
}

/** A grid that has been answered, asked again of a server that remembers. */
async function measureRemembered(
  dataDir: string,
  settings: Readonly<Record<string, string>>,
  endMs: number,
): Promise<Figure> {
  const server = await startBenchServer(dataDir, settings)
  try {
    // What is young may still change, so it is not remembered.
    const parameters = {
      query: PROMQL_QUESTIONS[0]?.expr ?? '',
      start: String((endMs - HOUR_MS) / 1000),
      end: String((endMs - BEFORE_MS) / 1000),
      step: '15',
    }
    const times: number[] = []
    for (let turn = 0; turn < 22; turn++) {
      times.push(await timed(`${server.url}/prometheus/api/v1/query_range`, parameters))
    }
    const again = times.slice(2)
    return {
      what: 'the first of these queries, asked again, remembered',
      value: `p50 ${ms(quantile(again, 0.5))}, max ${ms(quantile(again, 1))}`,
      target: `${CACHED_MS} ms`,
      isReached: quantile(again, 0.5) < CACHED_MS,
      beside: `the first time ${ms(times[0] ?? Number.NaN)}`,
    }
  } finally {
    await server.stop()
  }
}

/** Bytes of all blocks of Prometheus, once what it has in memory has become one. */
async function storedBytes(url: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })
  const { data } = (await response.json()) as { readonly data: { readonly name: string } }
  const flags = (await (await fetch(`${url}/api/v1/status/flags`)).json()) as {
    readonly data: Readonly<Record<string, string>>
  }
  return directoryBytes(join(flags.data['storage.tsdb.path'] ?? '', 'snapshots', data.name))
}

/** Bytes of all tables of ours, once merges have come to rest. */
async function mergedBytes(dataDir: string): Promise<number> {
  const storage = await openStorage(dataDir)
  try {
    await settleMerges(storage, 60)
    return (await readStoredSize(storage)).allBytes
  } finally {
    await storage.close()
  }
}

function directoryBytes(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
