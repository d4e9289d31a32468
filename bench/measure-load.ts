import type { BenchOptions } from './bench-options.ts'
import { startBenchServer } from './bench-server.ts'
import { megabytes, ms } from './figure.ts'
import type { LoadOptions, LoadResult } from './otlp-load.ts'
import { startLoad } from './start-load.ts'
import { withDirectory } from './with-directory.ts'

/** A load with what it did to the server, as text. */
export interface LoadFigure {
  readonly load: LoadResult
  readonly peakRss: string
  readonly caughtUp: string
  readonly ack: string
  readonly serverCpuSeconds: number
}

/** Sends one load to a new server and waits until everything can be queried. */
export function measureLoad(
  options: BenchOptions,
  wanted: Pick<LoadOptions, 'protocol' | 'seconds' | 'spansPerSecond'>,
): Promise<LoadFigure> {
  return withDirectory(options, async (directory) => {
    const server = await startBenchServer(directory)
    try {
      const before = await server.sample()
      const load = await startLoad({
        ...wanted,
        target: wanted.protocol === 'grpc' ? server.otlpGrpcAddress : server.otlpHttpUrl,
        spans: 512,
        connections: options.connections ?? 16,
      })
      const caughtUp = await server.caughtUp()
      const after = await server.sample()
      return {
        load,
        peakRss: megabytes(after.peakRssBytes),
        caughtUp: `${caughtUp.toFixed(1)} s`,
        ack: `p50 ${ms(load.ackMs.p50)}, p99 ${ms(load.ackMs.p99)}, max ${ms(load.ackMs.max)}`,
        serverCpuSeconds: after.cpuSeconds - before.cpuSeconds,
      }
    } finally {
      await server.stop()
    }
  })
}
