import { join } from 'node:path'
import { prometheusVersion, startPrometheus } from '../../test/support/prometheus-process.ts'
import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { compared, forgetPeak, peakOf, takeTurns } from '../compare-sides.ts'
import { feedBoth } from '../feed-both.ts'
import { count, type Figure, megabytes } from '../figure.ts'
import { createHistogramLoad } from '../histogram-load.ts'
import { withDirectory } from '../with-directory.ts'

const SERIES = 500
const HOUR_MS = 3_600_000
const LENGTH_MS = 6 * HOUR_MS

const QUESTIONS: readonly (readonly [expr: string, lengthMs: number, stepMs: number])[] = [
  ['histogram_quantile(0.99, sum by (job) (rate(latency[5m])))', HOUR_MS, 15_000],
  ['histogram_quantile(0.99, sum by (job) (rate(latency[5m])))', LENGTH_MS, 60_000],
  ['histogram_quantile(0.9, rate(latency[5m]))', HOUR_MS, 60_000],
  ['sum(histogram_count(rate(latency[5m])))', LENGTH_MS, 60_000],
  ['histogram_quantile(0.99, sum by (job) (latency))', HOUR_MS, 15_000],
]

/** The same native histograms in a Prometheus and in ours, the same questions to both by turns. Ours remembers no answers. */
export function measureNativeHistograms(options: BenchOptions): Promise<readonly Figure[]> {
  const version = prometheusVersion()
  if (version === null) throw new Error('Cannot measure: Debian’s package prometheus is not installed')
  return withDirectory(options, async (directory) => {
    const stops: (() => Promise<unknown>)[] = []
    try {
      const prometheus = await startPrometheus()
      stops.push(prometheus.stop)
      const server = await startBenchServer(join(directory, 'data'), {
        MESHWATCH_RULES__PACKS: '[]',
        MESHWATCH_RULES__FILES: '[]',
        MESHWATCH_QUERY__CACHE__MAX_SIZE: '0',
      })
      stops.push(server.stop)
      const both = { theirs: prometheus.url, ours: `${server.url}/prometheus` }
      const pids = { theirs: prometheus.pid, ours: server.child.pid ?? 0 }

      const endMs = Math.floor(Date.now() / 60_000) * 60_000
      const load = createHistogramLoad('latency', options.series ?? SERIES)
      const fed = [
        { name: 'Prometheus', writeUrl: `${both.theirs}/api/v1/write` },
        { name: 'ours', writeUrl: `${both.ours}/api/v1/write` },
      ]
      const [feedTheirs, feedOurs] = await feedBoth(fed, load, endMs - LENGTH_MS, endMs)
      const waited = await server.caughtUp()
      const figures: Figure[] = [
        {
          what: 'native histograms taken by remote write',
          value: `${count((feedOurs?.samples ?? 0) / (feedOurs?.seconds ?? 1))}/s, all stored ${waited.toFixed(1)} s later`,
          beside: `Prometheus ${count((feedTheirs?.samples ?? 0) / (feedTheirs?.seconds ?? 1))}/s`,
        },
      ]
      for (const [expr, lengthMs, stepMs] of QUESTIONS) {
        const parameters = {
          query: expr,
          start: String((endMs - lengthMs) / 1000),
          end: String(endMs / 1000),
          step: String(stepMs / 1000),
        }
        await forgetPeak(pids.theirs)
        await forgetPeak(pids.ours)
        const times = await takeTurns(both, pids, options.questions ?? 5, ['query_range', parameters])
        const what = `\`${expr}\`, ${lengthMs / HOUR_MS} h, step ${stepMs / 1000} s`
        figures.push(compared(what, times, 0.5, null), {
          what: 'peak memory meanwhile',
          value: megabytes(peakOf(pids.ours)),
          beside: `Prometheus ${megabytes(peakOf(pids.theirs))}`,
        })
      }
      return [
        ...figures,
        {
          what: 'peer',
          value: `Prometheus ${version}`,
          beside: `${count(feedOurs?.samples ?? 0)} histograms`,
        },
      ]
    } finally {
      for (const stop of stops.reverse()) await stop()
    }
  })
}
