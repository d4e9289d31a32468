import { type MeshwatchServer, startMeshwatch } from '../test/support/start-meshwatch.ts'
import { type ProcessUsage, readProcessUsage } from './process-usage.ts'

/** The server at one moment. */
export interface ServerSample extends ProcessUsage {
  /** Seconds since the watch began. */
  readonly atSeconds: number
  /** Age of the oldest acknowledged span that cannot be queried yet, seconds. */
  readonly lagSeconds: number
  /** Bytes in the journal that are not in ClickHouse yet. */
  readonly journalBytes: number
}

/** The real program, watched from outside. */
export interface BenchServer extends MeshwatchServer {
  sample(): Promise<ServerSample>
  /** Samples every second until the returned function is called, which gives the samples. */
  watch(): () => Promise<readonly ServerSample[]>
  /** Waits until everything acknowledged can be queried; returns the seconds it took. Throws after five minutes. */
  caughtUp(): Promise<number>
}

/** Starts the server on free ports with its data in `dataDir` and with these settings. */
export async function startBenchServer(
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<BenchServer> {
  const server = await startMeshwatch({
    dataDir,
    environment: { MESHWATCH_LOG__LEVEL: 'info', ...settings },
  })
  const started = performance.now()
  const sample = async (since = started): Promise<ServerSample> => {
    const response = await fetch(`${server.url}/readyz`)
    const body = (await response.json()) as {
      readonly dependencies: { readonly ingest: { journalBytes: number; oldestUnloadedAgeSeconds: number } }
    }
    const { journalBytes, oldestUnloadedAgeSeconds } = body.dependencies.ingest
    return {
      ...readProcessUsage(server.child.pid ?? 0),
      atSeconds: (performance.now() - since) / 1000,
      lagSeconds: oldestUnloadedAgeSeconds,
      journalBytes,
    }
  }
  return {
    ...server,
    sample: () => sample(),
    watch: () => {
      const since = performance.now()
      const samples: ServerSample[] = []
      let isWatching = true
      const done = (async () => {
        while (isWatching) {
          samples.push(await sample(since))
          await new Promise((resolve) => setTimeout(resolve, 1000))
        }
      })()
      return async () => {
        isWatching = false
        await done
        return samples
      }
    },
    caughtUp: async () => {
      const since = performance.now()
      for (;;) {
        const { journalBytes } = await sample()
        const seconds = (performance.now() - since) / 1000
        if (journalBytes === 0) return seconds
        if (seconds > 300)
          throw new Error(`Cannot go on: ${journalBytes} bytes are not loaded after 5 minutes`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
  }
}

/** How much a series grows per minute, by least squares. */
export function slopePerMinute(
  samples: readonly ServerSample[],
  value: (sample: ServerSample) => number,
): number {
  const times = samples.map(({ atSeconds }) => atSeconds)
  const values = samples.map(value)
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length
  const meanTime = mean(times)
  const meanValue = mean(values)
  let above = 0
  let below = 0
  for (const [index, time] of times.entries()) {
    above += (time - meanTime) * ((values[index] ?? 0) - meanValue)
    below += (time - meanTime) ** 2
  }
  return below === 0 ? 0 : (above / below) * 60
}
