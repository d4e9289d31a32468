import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { readProcessUsage } from './process-usage.ts'

/** The engine without the program. */
export interface EngineAlone {
  /** From the start of the process to the first answer, milliseconds, the start of Node.js included. */
  readonly startMs: number
  /** Of that, loading and opening the engine. */
  readonly openMs: number
  readonly rssBytes: number
  readonly version: string
}

/** Opens the engine alone on a data directory, in a process of its own, and closes it again. */
export async function runEngineAlone(dataDir: string): Promise<EngineAlone> {
  const begun = performance.now()
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'engine-alone.ts'), dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exit.then(() => {
      throw new Error('Cannot open the engine alone: its process has ended')
    }),
  ])) as [string]
  const startMs = performance.now() - begun
  const { openMs, version } = JSON.parse(line) as { readonly openMs: number; readonly version: string }
  const { rssBytes } = readProcessUsage(child.pid ?? 0)
  child.stdin.end()
  await exit
  return { startMs, openMs, rssBytes, version }
}
