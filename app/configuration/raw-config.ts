/** What is wrong with the configuration, where, and what was expected. */
export interface ConfigProblem {
  /** `ingest.otlpHttp.port`; '' for the file as a whole. */
  readonly path: string
  /** `expected a number from 0 to 65535, got "x"`. */
  readonly message: string
  /** `meshwatch.yaml:12`, `MESHWATCH_HTTP__PORT`, `--data-dir`; null for a default. */
  readonly source: string | null
}

/** Where a value came from: later sources override earlier ones. */
export type SourceKind = 'file' | 'environment' | 'arguments'

/** A value as it was written, and where. */
export interface RawValue {
  readonly path: readonly string[]
  readonly value: unknown
  readonly kind: SourceKind
  readonly source: string
}

/** One line for people. */
export function problemText(problem: ConfigProblem): string {
  const where = problem.source === null ? '' : ` (${problem.source})`
  return `${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${where}`
}
