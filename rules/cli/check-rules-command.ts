import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { labelsFrom, labelsText } from '../../model/labels.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { duplicateRules } from '../files/duplicate-rules.ts'
import { readRuleFile } from '../files/read-rule-file.ts'
import { ruleProblemText } from '../files/rule-problem.ts'
import type { RulesIo } from './rules-io.ts'

/** `meshwatch rules check FILE...`: prints what promtool prints. Returns 0, 1 when a file has a problem, 2 for wrong arguments. */
export function checkRulesCommand(args: readonly string[], io: RulesIo): number {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    io.stderr(`${errorMessage(error)}\n`)
    return 2
  }
  if (parsed.positionals.length === 0) {
    io.stderr('Cannot check rules: no file is named (meshwatch rules check FILE...)\n')
    return 2
  }
  const results = parsed.positionals.map((file) => checkFile(file, parsed.values, io))
  return results.every((isGood) => isGood) ? 0 : 1
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'ignore-unknown-fields': { type: 'boolean', default: false },
      'lint-fatal': { type: 'boolean', default: false },
    },
  })
}

function checkFile(
  path: string,
  options: { readonly 'ignore-unknown-fields': boolean; readonly 'lint-fatal': boolean },
  io: RulesIo,
): boolean {
  io.stdout(`Checking ${path}\n`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    io.stderr(`  FAILED:\n${path}: ${errorMessage(error)}\n\n`)
    return false
  }
  const { groups, problems } = readRuleFile(text, path, {
    ignoreUnknownFields: options['ignore-unknown-fields'],
  })
  const errors = problems.filter(({ severity }) => severity === 'error')
  for (const warning of problems.filter(({ severity }) => severity === 'warning')) {
    io.stderr(`  ${ruleProblemText(warning)}\n`)
  }
  if (errors.length > 0) {
    io.stderr(`  FAILED:\n${errors.map(ruleProblemText).join('\n')}\n\n`)
    return false
  }
  const count = groups.reduce((sum, { rules }) => sum + rules.length, 0)
  const duplicates = duplicateRules(groups)
  if (duplicates.length > 0) {
    io.stdout(`${duplicates.length} duplicate rule(s) found.\n`)
    for (const { name, labels } of duplicates) {
      io.stdout(
        `Metric: ${name}\nLabel(s):\n${labels.map(([key, value]) => `\t${key}: ${value}\n`).join('')}`,
      )
    }
    io.stdout('Might cause inconsistency while recording expressions\n')
    if (options['lint-fatal']) {
      io.stderr(
        `  FAILED:\n${path}: ${labelsText(labelsFrom(duplicates[0]?.labels ?? []))}: duplicate rules\n\n`,
      )
      return false
    }
  }
  io.stdout(`  SUCCESS: ${count} rules found\n\n`)
  return true
}
