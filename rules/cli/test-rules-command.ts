import { parseArgs } from 'node:util'
import { compilePattern } from '../../model/matcher.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { silentLogger } from '../../runtime/logger.ts'
import { runTestFile } from '../unit-test/run-test-file.ts'
import type { RulesIo } from './rules-io.ts'

/** `meshwatch rules test FILE...`: prints what promtool prints. Returns 0, 1 when a test failed, 2 for wrong arguments. */
export async function testRulesCommand(args: readonly string[], io: RulesIo): Promise<number> {
  let files: readonly string[]
  let isWanted: ((name: string) => boolean) | undefined
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { run: { type: 'string', multiple: true } },
    })
    files = positionals
    // promtool's pattern may match anywhere in the name.
    const patterns = values.run?.map((pattern) => compilePattern(`.*(?:${pattern}).*`))
    if (patterns !== undefined) isWanted = (name) => patterns.some((matches) => matches(name))
  } catch (error) {
    io.stderr(`${errorMessage(error)}\n`)
    return 2
  }
  if (files.length === 0) {
    io.stderr('Cannot test rules: no file is named (meshwatch rules test FILE...)\n')
    return 2
  }
  let hasFailed = false
  for (const file of files) {
    io.stdout(`Unit Testing:  ${file}\n`)
    const result = await runTestFile(file, {
      logger: silentLogger(),
      ...(isWanted === undefined ? {} : { isWanted }),
    })
    for (const warning of result.warnings) io.stderr(`  WARNING: ${warning}\n`)
    if (result.failures.length > 0) {
      hasFailed = true
      io.stderr(`  FAILED:\n${result.failures.join('\n\n')}\n\n`)
    } else io.stdout('  SUCCESS\n\n')
  }
  return hasFailed ? 1 : 0
}
