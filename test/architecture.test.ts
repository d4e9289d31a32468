import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** Which room may import from which. `*`: everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | '*'>> = {
  bin: '*',
  app: '*',
  model: [],
  runtime: [],
  storage: ['model', 'runtime'],
  ingest: ['model', 'runtime', 'storage'],
  query: ['model', 'runtime', 'storage'],
  rules: ['model', 'runtime', 'storage', 'query'],
  alerting: ['model', 'runtime', 'storage'],
  proxy: ['model', 'runtime'],
  dashboards: [],
  test: '*',
  bench: '*',
}

/** Names that say nothing about what is inside. */
const FORBIDDEN_NAMES = /(^|\/)(utils?|common|helpers?|types|index|misc|shared)\.ts$/

describe('the rooms of the house', () => {
  const files = sourceFiles(ROOT)

  test('import only what the table allows', () => {
    expect(files.flatMap((file) => forbiddenImports(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual(
      [],
    )
  })

  test('the check sees a forbidden import', () => {
    const source = "import { x } from '../rules/x.ts'\nexport { y } from '../storage/y.ts'"
    expect(forbiddenImports('alerting/z.ts', source)).toEqual(['alerting/z.ts imports rules: ../rules/x.ts'])
  })

  test('have no files named after nothing', () => {
    expect(files.filter((file) => FORBIDDEN_NAMES.test(file))).toEqual([])
  })

  test('only the clock reads the clock, outside tests and benchmarks', () => {
    const readers = files.filter((file) => {
      if (/\.test\.ts$|^(test|bench|runtime\/clock\.ts)/.test(file)) return false
      return /\bDate\.now\(|new Date\(\)|performance\.now\(/.test(readFileSync(join(ROOT, file), 'utf8'))
    })
    expect(readers).toEqual([])
  })

  test('process.env is read in bin only', () => {
    const readers = files.filter((file) => {
      if (/\.test\.ts$|^(test|bench|bin)\//.test(file)) return false
      return /process\.env\b/.test(readFileSync(join(ROOT, file), 'utf8'))
    })
    expect(readers).toEqual([])
  })
})

function forbiddenImports(file: string, source: string): string[] {
  const room = file.split('/')[0] ?? ''
  // A unit test may reach for the support that test/ offers.
  const extra = file.endsWith('.test.ts') ? ['test'] : []
  const allowed = MAY_IMPORT[room]
  if (allowed === '*' || allowed === undefined) return []
  const found: string[] = []
  for (const match of source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const specifier = match[1] ?? ''
    const target = relative(ROOT, resolve(ROOT, dirname(file), specifier)).split(sep)[0] ?? ''
    if (target !== room && ![...allowed, ...extra].includes(target)) {
      found.push(`${file} imports ${target}: ${specifier}`)
    }
  }
  return found
}

function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => Object.hasOwn(MAY_IMPORT, file.split('/')[0] ?? ''))
}
