import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { count, type Figure, ms } from '../figure.ts'
import { fillSpans } from '../fill-spans.ts'
import { measureFsync } from '../measure-fsync.ts'
import { openStorage } from '../open-storage.ts'
import { quantile } from '../quantile.ts'
import { startLoad } from '../start-load.ts'
import { withDirectory } from '../with-directory.ts'

const TARGET_MS = 250

/** Attributes that nearly every span has. */
const EVERYWHERE = ['component=proxy', 'response_flags=-', 'http.status_code=200', 'http.method=GET']

/** How long senders wait while large questions are answered all the time, beside the fsync of the same disk. */
export async function measureAcknowledgement(options: BenchOptions): Promise<readonly Figure[]> {
  const seconds = options.seconds ?? 20
  const rate = options.rate ?? 150_000
  return await withDirectory(options, async (directory) => {
    const storage = await openStorage(directory)
    const endMs = Date.now() - 60_000
    const filled = await fillSpans(storage, {
      spans: options.spans ?? 6_000_000,
      startMs: endMs - 3_600_000,
      endMs,
    })
    await storage.close()
    const idleFsync = await measureFsync(directory, 200)
    const server = await startBenchServer(directory)
    try {
      const load = (length: number) =>
        startLoad({
          target: server.otlpHttpUrl,
          protocol: 'protobuf',
          spans: 512,
          connections: options.connections ?? 16,
          seconds: length,
          spansPerSecond: rate,
        })
      await load(Math.min(5, seconds))
      const quiet = await load(seconds)
      let isLoading = true
      const questions = askUntil(server.url, () => !isLoading)
      const busyFsync = measureFsync(directory, Math.ceil(seconds * 4), 200)
      const busy = await load(seconds)
      isLoading = false
      const asked = await questions
      const fsync = await busyFsync
      return [
        {
          what: `acknowledgement at ${count(rate)} spans/s, while large questions run all the time (${seconds} s)`,
          value: `p50 ${ms(busy.ackMs.p50)}, p99 ${ms(busy.ackMs.p99)}, max ${ms(busy.ackMs.max)}, ${busy.refused} refused`,
          target: `p99 ${TARGET_MS} ms`,
          isReached: busy.ackMs.p99 <= TARGET_MS && busy.refused === 0,
          beside: `fsync of 256 KiB meanwhile: p50 ${ms(quantile(fsync, 0.5))}, p99 ${ms(quantile(fsync, 0.99))}; on the idle disk p99 ${ms(quantile(idleFsync, 0.99))}`,
        },
        {
          what: 'the questions',
          value: `${asked.length}, the longest ${(Math.max(...asked) / 1000).toFixed(1)} s, over ${count(filled.spans)} spans and what arrived`,
        },
        {
          what: 'the same load without questions',
          value: `p50 ${ms(quiet.ackMs.p50)}, p99 ${ms(quiet.ackMs.p99)}, max ${ms(quiet.ackMs.max)}`,
        },
      ]
    } finally {
      await server.stop()
    }
  })
}

/** Counts spans by attributes that most of them have, over everything: no index and no roll-up helps. Milliseconds each. */
async function askUntil(url: string, isOver: () => boolean): Promise<number[]> {
  const times: number[] = []
  const query = new URLSearchParams({ start: 'now-2h' })
  for (const attribute of EVERYWHERE) query.append('attr', attribute)
  const ask = async (): Promise<void> => {
    while (!isOver()) {
      const begun = performance.now()
      const response = await fetch(`${url}/api/traces/heatmap?${query}`)
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`Cannot ask: HTTP ${response.status}`)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all([ask(), ask()])
  return times
}
