import { AppError } from '../runtime/errors.ts'
import type { Statement } from './clickhouse-connection.ts'
import type { Parameter, ReadLimits, Select } from './storage.ts'

/** What a string can hold, with room for its being longer as text than in ClickHouse's memory. */
const MAX_TEXT_BYTES = 2 ** 27

/** An answer in columns is twice in memory for a moment. */
const MAX_COLUMN_BYTES = 2 ** 29

/**
 * Turns a question into a bounded statement. Throws INTERNAL when the statement cannot be one of ours: it does not
 * filter by `{tenant:String}`, is no SELECT, or names its own format or settings.
 */
export function prepareSelect(
  question: Select,
  configured: ReadLimits,
  form: 'text' | 'columns' = 'text',
): Statement {
  const refuse = (why: string) => new AppError('INTERNAL', `Cannot ask ${question.name}: ${why}`)
  if (!/\{\s*tenant\s*:\s*String\s*\}/.test(question.sql)) {
    throw refuse('the statement does not filter by {tenant:String}')
  }
  if (!/^(\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(\(|SELECT\b|WITH\b)/i.test(question.sql)) {
    throw refuse('the statement is no SELECT')
  }
  if (question.params !== undefined && Object.hasOwn(question.params, 'tenant')) {
    throw refuse('the parameter tenant is bound by storage')
  }
  for (const [, name] of question.sql.matchAll(/\{\s*([A-Za-z_]\w*)\s*:/g)) {
    // A session remembers parameters: one that is forgotten would silently have the value of another question.
    if (name !== 'tenant' && !Object.hasOwn(question.params ?? {}, name ?? '')) {
      throw refuse(`its parameter ${name} is not bound`)
    }
  }
  const limits = narrowest(configured, question.limits ?? {})
  return {
    // ClickHouse does not count the rows of a union against the limit; a union has no order that could be lost.
    sql: isUnion(question.sql) ? `SELECT * FROM (${question.sql}\n)` : question.sql,
    params: { ...question.params, tenant: question.tenant },
    settings: {
      ...question.settings,
      max_execution_time: limits.timeoutMs / 1000,
      max_memory_usage: limits.maxMemoryBytes,
      max_result_rows: limits.maxResultRows,
      // An answer is one text, or one run of bytes, on its way to JavaScript.
      max_result_bytes: Math.min(limits.maxMemoryBytes, form === 'text' ? MAX_TEXT_BYTES : MAX_COLUMN_BYTES),
      result_overflow_mode: 'throw',
      timeout_overflow_mode: 'throw',
      ...(limits.maxRowsToRead > 0
        ? { max_rows_to_read: limits.maxRowsToRead, read_overflow_mode: 'throw' }
        : {}),
    },
    timeoutMs: limits.timeoutMs,
    signal: question.signal,
  }
}

/** Turns a question about ClickHouse itself into a statement. Throws INTERNAL when it reads more than `system.*`. */
export function prepareInspection(sql: string, params: Readonly<Record<string, Parameter>>): Statement {
  const sources = [...sql.matchAll(/\b(?:FROM|JOIN)\s+(\S+)/gi)].map((match) => match[1] ?? '')
  if (sources.length === 0 || sources.some((source) => !/^(system\.\w+\)*$|\()/.test(source))) {
    throw new AppError('INTERNAL', 'Cannot inspect ClickHouse: the statement reads more than system tables')
  }
  return { sql, params, settings: { max_execution_time: 30 }, timeoutMs: 30_000 }
}

function narrowest(configured: ReadLimits, wanted: Partial<ReadLimits>): ReadLimits {
  const least = (a: number, b: number | undefined) => (b === undefined ? a : Math.min(a, b))
  return {
    timeoutMs: least(configured.timeoutMs, wanted.timeoutMs),
    maxMemoryBytes: least(configured.maxMemoryBytes, wanted.maxMemoryBytes),
    maxResultRows: least(configured.maxResultRows, wanted.maxResultRows),
    // 0 means no bound, so it is the widest of all.
    maxRowsToRead:
      configured.maxRowsToRead === 0 || wanted.maxRowsToRead === 0
        ? Math.max(configured.maxRowsToRead, wanted.maxRowsToRead ?? 0)
        : least(configured.maxRowsToRead, wanted.maxRowsToRead),
  }
}

/** Whether UNION stands outside all parentheses, strings and comments. */
function isUnion(sql: string): boolean {
  let depth = 0
  for (const [token] of sql.matchAll(/'(?:[^'\\]|\\.|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|[()]|\w+/g)) {
    if (token === '(') depth += 1
    else if (token === ')') depth -= 1
    else if (depth === 0 && token.toUpperCase() === 'UNION') return true
  }
  return false
}
