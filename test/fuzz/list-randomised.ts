import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LEFT_OUT = new Set(['node_modules', 'data', '.git'])
/** Draws that a seed decides: properties of fast-check's, and whatever takes its seed from `testSeed`. */
const DRAWS = /\bfc\s*\.(?:assert|check)\(|\btestSeed\(/

/** The test files under `root` in which a seed decides what is tried; relative paths, sorted. */
export function listRandomised(root: string): string[] {
  return testFiles(root, '')
    .filter((file) => DRAWS.test(readFileSync(join(root, file), 'utf8')))
    .sort()
}

function testFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : testFiles(root, path)
    return entry.name.endsWith('.test.ts') ? [path] : []
  })
}
