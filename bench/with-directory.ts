import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchOptions } from './bench-options.ts'

/** Runs `work` with a folder of its own, which is removed afterwards, whatever happens. */
export async function withDirectory<T>(
  options: BenchOptions,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(options.directory ?? tmpdir(), 'meshwatch-bench-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
