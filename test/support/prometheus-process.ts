import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from './wait-until.ts'

/** How to start a Prometheus. */
export interface PrometheusOptions {
  /** The configuration file's text; default: nothing is scraped, nothing is evaluated. */
  readonly config?: string
  readonly args?: readonly string[]
  /** Where its data stands; default: a new temporary folder, removed by `stop`. Its configuration is written there too. */
  readonly directory?: string
}

/** Debian's Prometheus as a child process, ready for queries and for remote write. */
export interface PrometheusProcess {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly child: ChildProcess
  readonly pid: number
  /** What it has logged. */
  log(): string
  /** Ends it and removes its folder unless that was given. */
  stop(): Promise<void>
}

/** The version of the machine's Prometheus, such as `2.42.0+ds`; null: there is none. */
export function prometheusVersion(): string | null {
  const { status, stdout, stderr } = spawnSync('prometheus', ['--version'], { encoding: 'utf8' })
  if (status !== 0) return null
  return /version (\S+)/.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown'
}

const NOTHING = 'global: { scrape_interval: 15s, evaluation_interval: 1m }\n'
const FEATURES =
  'exemplar-storage,native-histograms,promql-at-modifier,promql-negative-offset,promql-per-step-stats'

/** Starts the machine's Prometheus on a free port of 127.0.0.1 and waits until it answers. Throws with its log when it does not. */
export async function startPrometheus(options: PrometheusOptions = {}): Promise<PrometheusProcess> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'meshwatch-prometheus-'))
  const config = join(directory, 'prometheus.yml')
  writeFileSync(config, options.config ?? NOTHING)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      `--enable-feature=${FEATURES}`,
      '--log.level=warn',
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
  }
  const exit = once(child, 'close')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exit
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
  }
  try {
    await waitUntil(
      'Prometheus is ready',
      async () => {
        if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}`)
        return (await fetch(`${url}/-/ready`)).ok
      },
      30_000,
    )
  } catch (error) {
    await stop()
    throw new Error(`Cannot start Prometheus: ${log}`, { cause: error })
  }
  return { url, child, pid: child.pid ?? 0, log: () => log, stop }
}

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
