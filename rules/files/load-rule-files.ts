import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import type { RuleGroup } from '../rule-group.ts'
import { readRuleFile } from './read-rule-file.ts'
import { type RuleProblem, ruleProblemText } from './rule-problem.ts'

/** Which rules are wanted. */
export interface RuleFilesOptions {
  /** File names or patterns; relative ones are seen from `baseDir`. */
  readonly files: readonly string[]
  /** Names of the packs that come with the program. */
  readonly packs: readonly string[]
  /** Default: the working directory. */
  readonly baseDir?: string
}

/** Rules of files and packs. */
export interface LoadedRules {
  readonly groups: readonly RuleGroup[]
  /** Errors and warnings of all files. */
  readonly problems: readonly RuleProblem[]
  /** What was read, by the names groups know it by. */
  readonly sources: readonly string[]
}

const PACKS_DIR = join(import.meta.dirname, '..', 'packs')

/**
 * Reads all rule files and packs. A pattern may match nothing; a file that is named must be there. Problems are told, never thrown.
 * The groups of a pack have the pack's name as their file: `pack:mesh`.
 */
export function loadRuleFiles(options: RuleFilesOptions): LoadedRules {
  const problems: RuleProblem[] = []
  const groups: RuleGroup[] = []
  const sources = new Map<string, string>()
  for (const pack of options.packs) sources.set(`pack:${pack}`, join(PACKS_DIR, `${pack}.yaml`))
  for (const pattern of options.files) {
    for (const file of filesOf(pattern, options.baseDir ?? '.')) sources.set(file.name, file.path)
  }
  for (const [name, path] of sources) {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      const reason = name.startsWith('pack:')
        ? `there is no such pack (${packNames().join(', ')})`
        : errorMessage(error)
      problems.push({
        file: name,
        line: 0,
        column: 0,
        severity: 'error',
        message: `cannot read it: ${reason}`,
      })
      continue
    }
    const file = readRuleFile(text, name)
    groups.push(...file.groups)
    problems.push(...file.problems)
  }
  return { groups, problems, sources: [...sources.keys()] }
}

/**
 * The groups of files and packs. Throws AppError INVALID_ARGUMENT that names every error when there is one.
 */
export function requireRules(options: RuleFilesOptions): LoadedRules {
  const loaded = loadRuleFiles(options)
  const errors = loaded.problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return loaded
  const texts = errors.map(ruleProblemText)
  throw new AppError('INVALID_ARGUMENT', `Cannot load the rules: ${texts.join('\n')}`, {
    details: { problems: texts },
  })
}

/** The names of the packs that come with the program. */
export function packNames(): readonly string[] {
  return globSync('*.yaml', { cwd: PACKS_DIR })
    .filter((name) => !name.endsWith('.test.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort()
}

function filesOf(
  pattern: string,
  baseDir: string,
): readonly { readonly name: string; readonly path: string }[] {
  if (!/[*?[\]{}]/.test(pattern)) return [{ name: pattern, path: resolve(baseDir, pattern) }]
  return globSync(pattern, { cwd: baseDir })
    .sort()
    .map((name) => ({ name, path: resolve(baseDir, name) }))
}
