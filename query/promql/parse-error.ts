import { AppError } from '../../runtime/errors.ts'
import type { TextRange } from './ast.ts'

/**
 * The error of a query that cannot be parsed, worded as Prometheus words it: `1:5: parse error: unexpected ")"`.
 * The column counts bytes of UTF-8 from 1. `details` are `line`, `column`, `start` and `end` (UTF-16 offsets) and `reason`.
 */
export function parseError(text: string, range: TextRange, reason: string): AppError {
  const { line, column } = positionOf(text, range.start)
  return new AppError('QUERY_PARSE_FAILED', `${line}:${column}: parse error: ${reason}`, {
    details: { line, column, start: range.start, end: range.end, reason },
  })
}

/** Line and column, both from 1, of a UTF-16 offset; the column counts bytes of UTF-8, as Prometheus does. */
export function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let at = before.indexOf('\n'); at !== -1; at = before.indexOf('\n', at + 1)) line += 1
  return { line, column: Buffer.byteLength(before.slice(lineStart)) + 1 }
}
