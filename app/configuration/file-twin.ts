import { readFileSync } from 'node:fs'
import { errorMessage } from '../../runtime/errors.ts'
import type { ConfigProblem, RawValue, SourceKind } from './raw-config.ts'
import type { Setting } from './setting.ts'

const STRENGTH: Readonly<Record<SourceKind, number>> = { file: 0, environment: 1, arguments: 2 }

/**
 * Replaces each `…File` twin of a secret by the value in that file. The stronger source of the two wins; both from one source
 * are a problem. One line end at the end of the file is not part of the value.
 */
export function applyFileTwins(
  values: readonly RawValue[],
  settings: readonly Setting[],
): { readonly values: readonly RawValue[]; readonly problems: readonly ConfigProblem[] } {
  let rest = [...values]
  const problems: ConfigProblem[] = []
  for (const { path, fileTwin } of settings) {
    if (fileTwin === null) continue
    const plain = find(rest, path)
    const file = find(rest, fileTwin)
    if (file === undefined) continue
    const without = (dropped: RawValue) => rest.filter((value) => value !== dropped)
    if (plain !== undefined && plain.kind === file.kind) {
      const message = `expected either ${path.at(-1)} or ${fileTwin.at(-1)}, not both`
      problems.push({ path: path.join('.'), message, source: file.source })
    } else if (plain !== undefined && STRENGTH[plain.kind] > STRENGTH[file.kind]) {
      rest = without(file)
    } else {
      if (plain !== undefined) rest = without(plain)
      const secret = readSecret(file)
      if ('problem' in secret) problems.push(secret.problem)
      else rest.push({ ...file, path, value: secret.value })
    }
  }
  return { values: rest, problems }
}

function readSecret(file: RawValue): { readonly value: string } | { readonly problem: ConfigProblem } {
  try {
    const value = readFileSync(String(file.value), 'utf8').replace(/\r?\n$/, '')
    if (value !== '') return { value }
    return { problem: problem(file, 'expected a file that is not empty') }
  } catch (error) {
    return { problem: problem(file, `expected a readable file: ${errorMessage(error)}`) }
  }
}

function problem(file: RawValue, message: string): ConfigProblem {
  return { path: file.path.join('.'), message, source: file.source }
}

/** A key set to null counts as not set. */
function find(values: readonly RawValue[], path: readonly string[]): RawValue | undefined {
  return values.find((raw) => raw.value !== null && raw.path.join('.') === path.join('.'))
}
