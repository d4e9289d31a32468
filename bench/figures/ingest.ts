import type { BenchOptions } from '../bench-options.ts'
import { slopePerMinute, startBenchServer } from '../bench-server.ts'
import { count, type Figure, megabytes, ms } from '../figure.ts'
import { startLoad } from '../start-load.ts'
import { withDirectory } from '../with-directory.ts'
import { measureDecode } from './decode.ts'
import { measureNativeInsert } from './native-insert.ts'

const TARGET = 150_000

/** A minute of OTLP/HTTP protobuf at a steady rate; then ClickHouse and the decoder alone. */
export async function measureIngest(options: BenchOptions): Promise<readonly Figure[]> {
  const seconds = options.seconds ?? 60
  const rate = options.rate ?? TARGET
  const figures = await withDirectory(options, async (directory) => {
    const server = await startBenchServer(directory)
    try {
      const before = await server.sample()
      const stopWatching = server.watch()
      const load = await startLoad({
        target: server.otlpHttpUrl,
        protocol: 'protobuf',
        spans: 512,
        connections: options.connections ?? 16,
        seconds,
        spansPerSecond: rate,
      })
      const samples = await stopWatching()
      const after = await server.sample()
      const caughtUp = await server.caughtUp()
      const stored = await countSpans(server.url)
      for (const { atSeconds, lagSeconds, journalBytes, rssBytes, cpuSeconds } of samples) {
        console.log(
          `${atSeconds.toFixed(0).padStart(4)} s  lag ${lagSeconds.toFixed(2)} s  journal ${megabytes(journalBytes)}  resident ${megabytes(rssBytes)}  CPU ${(cpuSeconds - before.cpuSeconds).toFixed(1)} s`,
        )
      }
      // The first ten seconds are warming up: nothing is compiled and nothing merges yet.
      const steady = samples.filter(({ atSeconds }) => atSeconds >= Math.min(10, seconds / 2))
      const slope = slopePerMinute(steady, ({ lagSeconds }) => lagSeconds)
      const accepted = load.accepted / load.seconds
      const cpu = after.cpuSeconds - before.cpuSeconds
      return [
        {
          what: `spans accepted and queryable, ${seconds} s, ${load.bytesPerSpan} B a span`,
          value: `${count(accepted)} spans/s, ${load.refused} refused`,
          target: `${count(TARGET)} spans/s`,
          isReached: accepted > TARGET * 0.995 && load.refused === 0 && slope < 1 && caughtUp < 10,
          beside: 'OpenTelemetry Collector 137,000, Rotel 462,000 spans/s per core (published)',
        },
        {
          what: 'lag (oldest acknowledged span not queryable)',
          value: `at most ${maximum(samples.map(({ lagSeconds }) => lagSeconds)).toFixed(1)} s, last ${samples.at(-1)?.lagSeconds.toFixed(1)} s, slope ${slope.toFixed(2)} s/min`,
          target: 'not growing',
          isReached: slope < 1,
          beside: `caught up ${caughtUp.toFixed(1)} s after the end`,
        },
        { what: 'spans found by a query afterwards', value: `${stored} of ${load.accepted} acknowledged` },
        {
          what: 'acknowledgement',
          value: `p50 ${ms(load.ackMs.p50)}, p99 ${ms(load.ackMs.p99)}, max ${ms(load.ackMs.max)}`,
        },
        {
          what: 'resident memory, peak',
          value: megabytes(after.peakRssBytes),
          target: '1.5 GB',
          isReached: after.peakRssBytes <= 1.5e9,
        },
        {
          what: 'CPU',
          value: `server ${cpu.toFixed(1)} s (${((cpu / load.accepted) * 1e6).toFixed(1)} s per million spans)`,
          beside: `generator ${load.cpuSeconds.toFixed(1)} s`,
        },
      ] satisfies Figure[]
    } finally {
      await server.stop()
    }
  })
  return [...figures, ...(await measureNativeInsert(options)), ...(await measureDecode(options))]
}

/** Counts through the API, which answers from the roll-ups. */
async function countSpans(url: string): Promise<string> {
  const response = await fetch(`${url}/api/traces/heatmap?start=now-1h`)
  if (!response.ok) return `unknown (HTTP ${response.status})`
  const body = (await response.json()) as {
    readonly cells: readonly { readonly spanCount: number | string }[]
  }
  return String(body.cells.reduce((sum, cell) => sum + Number(cell.spanCount), 0))
}

function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
