import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { count, type Figure, megabytes } from '../figure.ts'
import { runEngineAlone } from '../run-engine-alone.ts'
import { startLoad } from '../start-load.ts'
import { withDirectory } from '../with-directory.ts'

const TARGET = 1.5e9

/** Resident memory: the engine alone, the server idle, under load, and a while afterwards. */
export async function measureMemory(options: BenchOptions): Promise<readonly Figure[]> {
  const seconds = options.seconds ?? 60
  const rate = options.rate ?? 150_000
  return await withDirectory(options, async (directory) => {
    const engine = await runEngineAlone(directory)
    const server = await startBenchServer(directory)
    try {
      const idle = await server.sample()
      await startLoad({
        target: server.otlpHttpUrl,
        protocol: 'protobuf',
        spans: 512,
        connections: options.connections ?? 16,
        seconds,
        spansPerSecond: rate,
      })
      await server.caughtUp()
      const { peakRssBytes } = await server.sample()
      await new Promise((resolve) => setTimeout(resolve, 15_000))
      const after = await server.sample()
      return [
        {
          what: `resident memory, peak of ${seconds} s at ${count(rate)} spans/s`,
          value: megabytes(peakRssBytes),
          target: '1.5 GB',
          isReached: peakRssBytes <= TARGET,
          beside: `the engine alone, idle: ${megabytes(engine.rssBytes)} (ClickHouse ${engine.version})`,
        },
        {
          what: 'the server idle, before the load',
          value: megabytes(idle.rssBytes),
          beside: `15 s after the load: ${megabytes(after.rssBytes)}`,
        },
      ]
    } finally {
      await server.stop()
    }
  })
}
