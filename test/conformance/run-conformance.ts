import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { argv, stderr, stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { errorMessage } from '../../runtime/errors.ts'
import { openStorageTarget, type ScriptPath } from './open-storage-target.ts'
import { type CaseOutcome, runScript } from './run-script.ts'
import { openMemoryTarget } from './script-target.ts'

const USAGE = `usage: npm run conformance -- DIR [--path raw|pushdown|both] [--all] [--markdown]

Runs the *.test scripts of a directory, one line per file. Without --path the evaluator reads from memory; with it from the embedded
ClickHouse, by raw samples, by push-down, or by both, which must then give the same. --all shows every failing case, not the first of
each file. --markdown prints a table.
`

interface FileResult {
  readonly file: string
  readonly outcomes: readonly CaseOutcome[]
}

process.exitCode = await main(argv.slice(2))

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    strict: false,
    options: { path: { type: 'string' }, all: { type: 'boolean' }, markdown: { type: 'boolean' } },
  })
  const [directory] = positionals
  const path = values['path']
  if (directory === undefined || positionals.length > 1 || !(path === undefined || isPath(path))) {
    stderr.write(USAGE)
    return 2
  }
  const files = (await readdir(directory)).filter((name) => name.endsWith('.test')).sort()
  if (files.length === 0) {
    stderr.write(`Cannot run scripts: ${directory} has no *.test\n`)
    return 2
  }
  const target = path === undefined ? openMemoryTarget() : await openStorageTarget(path)
  const results: FileResult[] = []
  try {
    for (const file of files) {
      const result = { file, outcomes: await outcomesOf(join(directory, file), target) }
      results.push(result)
      if (values['markdown'] !== true) stdout.write(report(result, values['all'] === true))
    }
  } finally {
    await target.close()
  }
  if (values['markdown'] === true) stdout.write(markdown(results))
  return results.every(({ outcomes }) => outcomes.every(({ failure }) => failure === null)) ? 0 : 1
}

function isPath(text: unknown): text is ScriptPath {
  return text === 'raw' || text === 'pushdown' || text === 'both'
}

async function outcomesOf(
  file: string,
  target: Parameters<typeof runScript>[1],
): Promise<readonly CaseOutcome[]> {
  try {
    return await runScript(await readFile(file, 'utf8'), target)
  } catch (thrown) {
    // A script that cannot be read or loaded must not keep the others from running.
    return [{ line: 0, expr: '', failure: errorMessage(thrown) }]
  }
}

function passedOf({ outcomes }: FileResult): number {
  return outcomes.filter(({ failure }) => failure === null).length
}

function report(result: FileResult, isWhole: boolean): string {
  const failures = result.outcomes.filter(({ failure }) => failure !== null)
  const lines = [`${result.file} ${passedOf(result)}/${result.outcomes.length}`]
  for (const { line, expr, failure } of isWhole ? failures : failures.slice(0, 1)) {
    lines.push(`  line ${line}: ${expr}: ${failure}`)
  }
  return `${lines.join('\n')}\n`
}

function markdown(results: readonly FileResult[]): string {
  const rows = results.map((result) => [
    result.file,
    String(passedOf(result)),
    String(result.outcomes.length),
  ])
  const sum = (column: number) =>
    String(results.length === 0 ? 0 : rows.reduce((all, row) => all + Number(row[column]), 0))
  const table = [['script', 'passed', 'cases'], ['---', '--:', '--:'], ...rows, ['**all**', sum(1), sum(2)]]
  return `${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`
}
