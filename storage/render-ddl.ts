/** What a schema is rendered for. */
export interface DdlTarget {
  readonly database: string
  /** The cluster's name; null: one node. */
  readonly cluster: string | null
}

/**
 * Turns one statement of a migration (plain single-node SQL) into the statements that make it so on the target. Each may
 * be repeated without effect. Throws when a statement cannot be repeated.
 */
export function renderDdl(statement: string, _target: DdlTarget): string[] {
  return [
    statement.replace(/\bCREATE (TABLE|MATERIALIZED VIEW) (?!IF NOT EXISTS)/, 'CREATE $1 IF NOT EXISTS '),
  ]
}
