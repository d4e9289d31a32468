import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errorMessage } from '../../runtime/errors.ts'
import { type Config, configSchema } from '../config.ts'
import { closestName } from './closest-name.ts'
import { explainIssue, showValue } from './explain-issue.ts'
import { applyFileTwins } from './file-twin.ts'
import type { ConfigProblem, RawValue } from './raw-config.ts'
import { readConfigFile } from './read-config-file.ts'
import { readEnvironment } from './read-environment.ts'
import { listSettings, objectShape, type Setting } from './setting.ts'

/** Where the configuration comes from, weakest first. */
export interface ConfigSources {
  /** The YAML file; null: none. */
  readonly file: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `--data-dir`; null: not given. */
  readonly dataDir: string | null
}

/** The configuration, or everything that is wrong with it. */
export type ConfigResult =
  | { readonly isValid: true; readonly config: Config; readonly values: readonly RawValue[] }
  | { readonly isValid: false; readonly problems: readonly ConfigProblem[] }

/** Reads, merges and checks the configuration: defaults < file < environment < arguments. Reads only files that it names. */
export function loadConfig(sources: ConfigSources): ConfigResult {
  const settings = listSettings(configSchema)
  const file = readFile(sources.file)
  const environment = readEnvironment(sources.environment, settings)
  const given: RawValue[] = [...file.values, ...environment.values]
  if (sources.dataDir !== null) {
    given.push({ path: ['dataDir'], value: sources.dataDir, kind: 'arguments', source: '--data-dir' })
  }
  const values = lastOfEachPath(given.map((value) => withAbsolutePath(value, settings, sources.file)))
  const twins = applyFileTwins(values, settings)
  const problems = [...file.problems, ...environment.problems, ...twins.problems]
  const parsed = configSchema.safeParse(toTree(twins.values))
  if (!parsed.success) {
    problems.push(
      ...parsed.error.issues.flatMap((issue) => problemsOf(issue, twins.values, settings, sources.file)),
    )
  }
  if (problems.length > 0 || !parsed.success) return { isValid: false, problems }
  return { isValid: true, config: deepFreeze(parsed.data), values: twins.values }
}

function readFile(file: string | null): ReturnType<typeof readConfigFile> {
  if (file === null) return { values: [], problems: [] }
  try {
    return readConfigFile(readFileSync(file, 'utf8'), file, configSchema)
  } catch (error) {
    const message = `expected a readable file: ${errorMessage(error)}`
    return { values: [], problems: [{ path: '', message, source: file }] }
  }
}

function withAbsolutePath(raw: RawValue, settings: readonly Setting[], file: string | null): RawValue {
  const isPath = settings.some((setting) => setting.isPath && samePath(setting.path, raw.path))
  if (!isPath || raw.kind !== 'file' || file === null) return raw
  const base = dirname(resolve(file))
  const absolute = (value: unknown) =>
    typeof value === 'string' && value !== '' ? resolve(base, value) : value
  return { ...raw, value: Array.isArray(raw.value) ? raw.value.map(absolute) : absolute(raw.value) }
}

/** The values that hold: of several for one key, the one from the strongest source, which comes last. */
function lastOfEachPath(values: readonly RawValue[]): readonly RawValue[] {
  return [...new Map(values.map((value) => [value.path.join('.'), value])).values()]
}

type Issue = Parameters<typeof explainIssue>[0]

function problemsOf(
  issue: Issue,
  values: readonly RawValue[],
  settings: readonly Setting[],
  file: string | null,
): readonly ConfigProblem[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(shapeAt(path) ?? {})
    return issue.keys.map((key) => {
      const meant = closestName(key, known)
      const message = meant === null ? 'unknown key' : `unknown key; did you mean ${meant}?`
      return { path: [...path, key].join('.'), message, source: sourceOf([...path, key], values) ?? file }
    })
  }
  const isSecret = settings.some((setting) => setting.isSecret && samePath(setting.path, path))
  const raw = values.find((value) => startsWith(path, value.path))
  const shown = raw === undefined || isSecret ? null : showValue(valueAt(raw, path))
  return [{ path: pathText(path), message: explainIssue(issue, shown), source: sourceOf(path, values) }]
}

function sourceOf(path: readonly string[], values: readonly RawValue[]): string | null {
  const exact = values.find((value) => startsWith(path, value.path))
  return (exact ?? values.find((value) => startsWith(value.path, path)))?.source ?? null
}

function shapeAt(path: readonly string[]): ReturnType<typeof objectShape> {
  let shape = objectShape(configSchema)
  for (const key of path) {
    const inner = shape?.[key]
    shape = inner === undefined ? null : objectShape(inner)
  }
  return shape
}

function valueAt(raw: RawValue, path: readonly string[]): unknown {
  return path
    .slice(raw.path.length)
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], raw.value)
}

function toTree(values: readonly RawValue[]): Record<string, unknown> {
  const root: Record<string, unknown> = Object.create(null)
  for (const { path, value } of values) {
    let node = root
    for (const key of path.slice(0, -1)) {
      node[key] ??= Object.create(null)
      node = node[key] as Record<string, unknown>
    }
    node[path.at(-1) ?? ''] = value
  }
  return root
}

function pathText(path: readonly string[]): string {
  return path.reduce(
    (text, key) => (/^\d+$/.test(key) ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${key}`),
    '',
  )
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((key, at) => path[at] === key)
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && startsWith(a, b)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
