import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { argv, stderr, stdout } from 'node:process'
import { runScript } from './run-script.ts'

// npm run conformance -- DIR [--all]: runs the *.test scripts of a directory, one line per file, and with --all one per failing case.
const [directory, ...options] = argv.slice(2)
if (directory === undefined) {
  stderr.write('usage: npm run conformance -- DIR [--all]\n')
  process.exitCode = 2
} else {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.test')).sort()
  let isGood = files.length > 0
  for (const file of files) {
    const outcomes = await runScript(await readFile(join(directory, file), 'utf8'))
    const failures = outcomes.filter(({ failure }) => failure !== null)
    if (failures.length > 0) isGood = false
    stdout.write(`${file} ${outcomes.length - failures.length}/${outcomes.length}\n`)
    const shown = options.includes('--all') ? failures : failures.slice(0, 1)
    for (const { line, expr, failure } of shown) stdout.write(`  line ${line}: ${expr}: ${failure}\n`)
  }
  process.exitCode = isGood ? 0 : 1
}
