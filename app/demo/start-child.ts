import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError } from '../../runtime/errors.ts'

/** A line that the program wrote on standard output. */
export type LogLine = Readonly<Record<string, unknown>>

/** The program, running as a child process and ready. */
export interface Child {
  readonly pid: number
  /** What its ready line says. */
  readonly ready: LogLine
  /** Resolves with exit code or signal when it is gone. */
  readonly exit: Promise<number | string>
  /** Asks it to stop and waits until it is gone; kills it after ten seconds. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** How to run the program. */
export interface ChildOptions {
  /** For messages: `server`, `proxy of cart`. */
  readonly name: string
  /** Arguments of `meshwatch`. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Takes every line but the ready line. */
  readonly onLine: (line: LogLine) => void
  /** Called as soon as it runs, ready or not. */
  readonly onSpawn: (child: ChildProcess) => void
}

const PROGRAM = join(import.meta.dirname, '../../bin/meshwatch.ts')
const STOP_MS = 10_000

/**
 * Starts `meshwatch` and waits for its ready line. Its standard error is ours. It stays in our process group, so that whoever kills the
 * group kills it too. Throws AppError CANNOT_START when it ends before it is ready.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(process.execPath, [PROGRAM, ...options.args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...options.environment },
  })
  options.onSpawn(child)
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const ready = Promise.withResolvers<LogLine>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parse(text)
    if (line['event'] === 'ready') ready.resolve(line)
    else options.onLine(line)
  })
  void exit.then(
    (code) => ready.reject(cannotStart(options.name, `it ended with ${code}`)),
    (error: Error) => ready.reject(cannotStart(options.name, error.message)),
  )
  return {
    ready: await ready.promise,
    pid: child.pid ?? 0,
    exit,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await exit.catch(() => {})
      clearTimeout(kill)
    },
  }
}

function cannotStart(name: string, reason: string): AppError {
  return new AppError('CANNOT_START', `Cannot start the ${name}: ${reason}`)
}

function parse(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as LogLine) : { msg: text }
  } catch {
    return { msg: text }
  }
}
