import type { Statement } from '../clickhouse-connection.ts'
import { formatParameter, quoteString } from '../format-parameter.ts'

/**
 * Writes a statement for a session of its own: parameters as `SET param_…` in front of it, settings in its own SETTINGS
 * clause. The client's way of binding is not used: it runs all parameterised statements of a process one after the
 * other. `ticket` marks the running query, so that it can be found and stopped. A value is quoted once here and read by the engine as the text of a parameter, never as SQL.
 */
export function renderStatement(
  statement: Pick<Statement, 'sql' | 'params' | 'settings'>,
  ticket?: string,
): string {
  const params = Object.entries(statement.params).map(
    ([name, value]) => `param_${name} = ${quoteString(formatParameter(value))}`,
  )
  const settings = renderSettings(statement.settings)
  // Set for the session: the list of running queries does not show a statement's own settings.
  if (ticket !== undefined) params.push(`log_comment = ${quoteString(ticket)}`)
  const bind = params.length === 0 ? '' : `SET ${params.join(', ')}; `
  // A statement may end in a line comment.
  return `${bind}${statement.sql}${settings === '' ? '' : `\nSETTINGS ${settings}`}`
}

/** Writes settings as they stand behind SETTINGS. */
export function renderSettings(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? value : quoteString(value)}`)
    .join(', ')
}
