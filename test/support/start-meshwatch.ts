import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const PROGRAM = resolve(import.meta.dirname, '../../bin/meshwatch.ts')

/** How to run the program. */
export interface RunOptions {
  /** Arguments after the script. */
  readonly args: readonly string[]
  /** Beside PATH and what makes every port a free one. */
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** The program as a child process. */
export interface MeshwatchProcess {
  readonly child: ChildProcess
  /** Lines of standard output so far, parsed as JSON where they are JSON. */
  readonly lines: readonly Record<string, unknown>[]
  stdout(): string
  stderr(): string
  /** Resolves with the first line, past or to come, that has this event; rejects when the process ends without it. */
  event(name: string): Promise<Record<string, unknown>>
  /** Resolves with the exit code (or the signal's name) once the process is gone and its output read. */
  readonly exit: Promise<number | string>
}

/** Starts the real program: `bin/meshwatch.ts` on this Node.js, all listeners on free ports of 127.0.0.1. */
export function runMeshwatch(options: RunOptions): MeshwatchProcess {
  const child = spawn(process.execPath, ['--max-semi-space-size=16', PROGRAM, ...options.args], {
    cwd: options.cwd ?? tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      // As `npm start` has it.
      MALLOC_ARENA_MAX: '2',
      MESHWATCH_HTTP__PORT: '0',
      MESHWATCH_INGEST__OTLP_HTTP__PORT: '0',
      MESHWATCH_INGEST__OTLP_GRPC__PORT: '0',
      ...options.environment,
    },
  })
  let stdout = ''
  let stderr = ''
  const lines: Record<string, unknown>[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`
    lines.push(parsed(line))
    for (const wake of waiting) wake()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    child,
    lines,
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    event: (name) =>
      new Promise((resolveEvent, reject) => {
        const look = () => {
          const line = lines.find((candidate) => candidate['event'] === name)
          if (line === undefined) return
          waiting.delete(look)
          resolveEvent(line)
        }
        waiting.add(look)
        look()
        void exit.then((code) => reject(new Error(`ended with ${code} before ${name}: ${stderr}${stdout}`)))
      }),
  }
}

/** A server that is ready. */
export interface MeshwatchServer extends MeshwatchProcess {
  /** `http://127.0.0.1:port` of the API. */
  readonly url: string
  /** `http://127.0.0.1:port` for OTLP/HTTP; '' without the role ingest. */
  readonly otlpHttpUrl: string
  /** `127.0.0.1:port` for OTLP/gRPC; '' without the role ingest. */
  readonly otlpGrpcAddress: string
  readonly dataDir: string
  /** Asks it to stop, waits until it is gone, removes the data directory unless it was given. Returns the exit code. */
  stop(): Promise<number | string>
}

/** How to start a server. */
export interface StartOptions {
  /** Default: a new temporary folder. */
  readonly dataDir?: string
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts `meshwatch serve` and waits for its ready line. */
export async function startMeshwatch(options: StartOptions = {}): Promise<MeshwatchServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'meshwatch-data-'))
  const running = runMeshwatch({
    args: ['serve', '--data-dir', dataDir, ...(options.args ?? [])],
    environment: options.environment ?? {},
  })
  const ready = await running.event('ready')
  return {
    ...running,
    url: String(ready['http']),
    otlpHttpUrl: String(ready['otlpHttp'] ?? ''),
    otlpGrpcAddress: String(ready['otlpGrpc'] ?? ''),
    dataDir,
    stop: async () => {
      running.child.kill('SIGTERM')
      const code = await running.exit
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
      return code
    },
  }
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return { text: line }
  }
}
