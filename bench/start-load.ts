import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import type { LoadOptions, LoadResult } from './otlp-load.ts'

const run = promisify(execFile)

/** Runs the load generator as a process of its own. Throws when it cannot send. */
export async function startLoad(options: LoadOptions): Promise<LoadResult> {
  const program = resolve(import.meta.dirname, 'otlp-load.ts')
  const { stdout } = await run(process.execPath, [program, JSON.stringify(options)])
  return JSON.parse(stdout) as LoadResult
}
