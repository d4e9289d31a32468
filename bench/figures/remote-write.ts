import { join } from 'node:path'
import { compressSync } from 'snappy'
import { openTestStorage } from '../../test/support/open-test-storage.ts'
import type { BenchOptions } from '../bench-options.ts'
import { startBenchServer } from '../bench-server.ts'
import { encodeOtlpPoints } from '../encode-otlp-points.ts'
import { count, type Figure, megabytes } from '../figure.ts'
import { openSender, type SentHead } from '../http-sender.ts'
import { createMetricLoad, SCRAPE_MS } from '../metric-load.ts'
import { withDirectory } from '../with-directory.ts'

const SERIES = 20_000
const SAMPLES = 5_000_000
const TARGET = 500_000
const CONNECTIONS = 8
const POINTS_PER_INSTANCE = 10
const INSTANCES_PER_MESSAGE = 100

/** Messages made beforehand, so that the machine is the server's. */
interface Prepared {
  readonly bodies: readonly Buffer[]
  readonly samples: number
}

const WRITE_HEAD: SentHead = {
  path: '/prometheus/api/v1/write',
  headers: [
    'Content-Type: application/x-protobuf',
    'Content-Encoding: snappy',
    'X-Prometheus-Remote-Write-Version: 0.1.0',
  ],
}
const OTLP_HEAD: SentHead = { path: '/v1/metrics', headers: ['Content-Type: application/x-protobuf'] }

/** Samples as fast as they are taken: by remote write on both listeners, one sample of each series in a message as Prometheus sends them, and by OTLP. */
export async function measureRemoteWrite(options: BenchOptions): Promise<readonly Figure[]> {
  const series = options.series ?? SERIES
  const rounds = Math.max(1, Math.round(SAMPLES / series))
  const written = prepareWrites(series, rounds)
  const figures: Figure[] = []
  for (const [what, listener] of [
    ['remote write 1.0, listener of OTLP/HTTP', 'otlp'],
    ['remote write 1.0, listener of the API', 'api'],
  ] as const) {
    figures.push(...(await measure(options, what, 'prom_samples', written, WRITE_HEAD, listener)))
  }
  const points = preparePoints(series, rounds)
  figures.push(...(await measure(options, 'OTLP/HTTP protobuf', 'otlp_points', points, OTLP_HEAD, 'otlp')))
  return figures
}

function prepareWrites(series: number, rounds: number): Prepared {
  const toMs = Math.floor(Date.now() / SCRAPE_MS) * SCRAPE_MS
  const fromMs = toMs - rounds * SCRAPE_MS
  const load = createMetricLoad([
    { name: 'requests_total', series: series / 2, fromMs },
    { name: 'latency_seconds_bucket', series: series / 2, fromMs },
  ])
  const bodies: Buffer[] = []
  let samples = 0
  for (let at = fromMs; at < toMs; at += SCRAPE_MS) {
    for (const message of load.slice(at, at + SCRAPE_MS)) {
      bodies.push(compressSync(message.body))
      samples += message.samples
    }
  }
  return { bodies, samples }
}

function preparePoints(series: number, rounds: number): Prepared {
  const instances = Math.ceil(series / POINTS_PER_INSTANCE)
  const toMs = Date.now()
  const bodies: Buffer[] = []
  for (let round = 0; round < rounds; round++) {
    const timeMs = toMs - (rounds - round) * SCRAPE_MS
    for (let firstInstance = 0; firstInstance < instances; firstInstance += INSTANCES_PER_MESSAGE) {
      const message = { firstInstance, instances: INSTANCES_PER_MESSAGE, series: POINTS_PER_INSTANCE, timeMs }
      bodies.push(Buffer.from(encodeOtlpPoints(message)))
    }
  }
  return { bodies, samples: bodies.length * INSTANCES_PER_MESSAGE * POINTS_PER_INSTANCE }
}

function measure(
  options: BenchOptions,
  what: string,
  table: 'prom_samples' | 'otlp_points',
  { bodies, samples }: Prepared,
  head: SentHead,
  listener: 'otlp' | 'api',
): Promise<readonly Figure[]> {
  return withDirectory(options, async (directory) => {
    const dataDir = join(directory, 'data')
    const server = await startBenchServer(dataDir)
    let figures: Figure[]
    try {
      const url = listener === 'otlp' ? server.otlpHttpUrl : server.url
      const before = await server.sample()
      const seconds = await sendAll(url, head, bodies, options.connections ?? CONNECTIONS)
      const caughtUp = await server.caughtUp()
      const after = await server.sample()
      const rate = samples / seconds
      const stored = samples / (seconds + caughtUp)
      console.log(`${what}: ${count(rate)} samples/s, queryable ${caughtUp.toFixed(1)} s later`)
      const bytes = Math.round(bodies.reduce((sum, { length }) => sum + length, 0) / samples)
      figures = [
        {
          what: `${what}: samples/s acknowledged (on disk)`,
          value: count(rate),
          target: `${count(TARGET)} samples/s`,
          isReached: rate >= TARGET,
          beside: `${count(samples)} samples of ${bytes} bytes each on the wire, in ${count(bodies.length)} messages`,
        },
        {
          what: `${what}: samples/s queryable`,
          value: count(stored),
          beside: `the last ${caughtUp.toFixed(1)} s after the last was acknowledged; ${(after.cpuSeconds - before.cpuSeconds).toFixed(0)} CPU seconds, peak memory ${megabytes(after.peakRssBytes)}`,
        },
      ]
    } finally {
      await server.stop()
    }
    figures.push({
      what: `${what}: bytes per sample stored`,
      value: (await bytesPerRow(dataDir, table)).toFixed(2),
    })
    return figures
  })
}

/** Seconds until all messages are acknowledged. Throws when one is not taken. */
async function sendAll(
  url: string,
  head: SentHead,
  bodies: readonly Buffer[],
  connections: number,
): Promise<number> {
  const senders = await Promise.all(Array.from({ length: connections }, () => openSender(url, head)))
  const started = performance.now()
  let next = 0
  await Promise.all(
    senders.map(async (sender) => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        if (!(await sender.send(body))) throw new Error('Cannot go on: a message was not taken')
      }
    }),
  )
  const seconds = (performance.now() - started) / 1000
  for (const sender of senders) sender.close()
  return seconds
}

/** Of a table as it stands on disk once its parts are merged, the series' own rows left out. */
async function bytesPerRow(dataDir: string, table: 'prom_samples' | 'otlp_points'): Promise<number> {
  const storage = await openTestStorage({ dataDir })
  try {
    await storage.command(`OPTIMIZE TABLE ${table} FINAL`)
    const [row] = await storage.inspect<{ readonly perRow: number }>(
      `SELECT sum(bytes_on_disk) / sum(rows) AS perRow FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}`,
      { table },
    )
    return row?.perRow ?? Number.NaN
  } finally {
    await storage.close()
  }
}
