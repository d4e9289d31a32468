import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { loadRuleFiles } from '../files/load-rule-files.ts'
import { ruleProblemText } from '../files/rule-problem.ts'
import type { RuleGroup } from '../rule-group.ts'
import { readTestFile } from './read-test-file.ts'
import { runRuleTest } from './run-rule-test.ts'

/** How a file of unit tests went. */
export interface TestFileResult {
  /** What is not as expected; empty: passed. */
  readonly failures: readonly string[]
  readonly warnings: readonly string[]
  /** How many tests were run. */
  readonly tests: number
}

/** Which tests to run. */
export interface RunTestFileOptions {
  readonly logger: Logger
  /** Only tests whose names this accepts. */
  readonly isWanted?: (name: string) => boolean
}

/** Runs the unit tests of a file. Paths of rule files are relative to it. Never throws for what is in the files. */
export async function runTestFile(path: string, options: RunTestFileOptions): Promise<TestFileResult> {
  const warnings: string[] = []
  try {
    const file = readTestFile(readFileSync(path, 'utf8'))
    const baseDir = dirname(path)
    for (const pattern of file.rule_files) {
      if (globSync(pattern, { cwd: baseDir }).length === 0) warnings.push(`no file match pattern ${pattern}`)
    }
    const patterns = file.rule_files.filter((pattern) => globSync(pattern, { cwd: baseDir }).length > 0)
    const loaded = loadRuleFiles({ files: patterns, packs: [], baseDir })
    const errors = loaded.problems.filter(({ severity }) => severity === 'error')
    if (errors.length > 0) {
      return { failures: errors.map((problem) => `    ${ruleProblemText(problem)}`), warnings, tests: 0 }
    }
    const groups = inOrder(loaded.groups, file.group_eval_order)
    const tests = file.tests.filter(({ name }) => options.isWanted?.(name) ?? true)
    const failures: string[] = []
    for (const test of tests) {
      failures.push(...(await runRuleTest(test, { groups, file, logger: options.logger })))
    }
    return { failures, warnings, tests: tests.length }
  } catch (error) {
    return { failures: [`    ${errorMessage(error)}`], warnings, tests: 0 }
  }
}

/** Groups named in `order` come first, in that order. */
function inOrder(groups: readonly RuleGroup[], order: readonly string[]): readonly RuleGroup[] {
  const unknown = order.filter((name) => !groups.some((group) => group.name === name))
  if (unknown.length > 0)
    throw new Error(`group_eval_order names groups that are not there: ${unknown.join(', ')}`)
  const rank = ({ name }: RuleGroup) => (order.includes(name) ? order.indexOf(name) : order.length)
  return [...groups].sort((a, b) => rank(a) - rank(b))
}
