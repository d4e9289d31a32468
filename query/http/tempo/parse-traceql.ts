import { SPAN_KINDS, STATUS_CODES } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { AttributeEquals, TraceFilter } from '../../traces/trace-filter.ts'
import { parseGoDuration } from '../parse-go-duration.ts'
import { unescapeQuoted } from './parse-logfmt.ts'

/** A condition of a selector: `span.http.method = "GET"`. */
interface Condition {
  readonly field: string
  readonly operator: string
  /** The value without its quotes. */
  readonly value: string
  readonly isQuoted: boolean
  /** Where it starts, counted from 1. */
  readonly position: number
}

const FIELD = /\s*((?:"(?:[^"\\]|\\.)*"|[^\s"=!<>~&|(){}])+)/y
const OPERATOR = /\s*(>=|<=|!=|!~|=~|=|>|<)/y
const VALUE = /\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|([^\s"`&|(){}]+))/y
const AND = /\s*&&/y
const CLOSE = /\s*\}/y

/**
 * Reads the part of TraceQL that search forms write: one selector with conditions joined by `&&`, each `field = value`
 * or a comparison of `duration`: `{ resource.service.name="a" && name="GET" && duration>1s && status=error }`. `{}` is
 * everything. All conditions must hold for one span. Throws AppError QUERY_PARSE_FAILED, with `position` (from 1), for
 * everything else, be it wrong or not supported.
 */
export function parseTraceql(query: string): TraceFilter {
  const attributes: AttributeEquals[] = []
  const spanAttributes: AttributeEquals[] = []
  const resourceAttributes: AttributeEquals[] = []
  let filter: TraceFilter = {}
  for (const condition of conditionsOf(query)) {
    const { field } = condition
    const intrinsic = INTRINSICS[field]
    if (intrinsic !== undefined) filter = { ...filter, ...intrinsic(condition, filter) }
    else if (field.startsWith('resource.')) resourceAttributes.push(equalAttribute(condition, 'resource.'))
    else if (field.startsWith('span.')) spanAttributes.push(equalAttribute(condition, 'span.'))
    else if (field.startsWith('.')) attributes.push(equalAttribute(condition, '.'))
    else throw failure(`'${field}' is not supported`, condition.position)
  }
  return {
    ...filter,
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(spanAttributes.length === 0 ? {} : { spanAttributes }),
    ...(resourceAttributes.length === 0 ? {} : { resourceAttributes }),
  }
}

function conditionsOf(query: string): Condition[] {
  const open = /^\s*\{/.exec(query)
  if (open === null) throw failure('expected a selector in braces, like { status = error }', 1)
  let position = open[0].length
  const next = (pattern: RegExp) => {
    pattern.lastIndex = position
    const match = pattern.exec(query)
    if (match !== null) position = pattern.lastIndex
    return match
  }
  const here = () => position + query.slice(position).search(/\S|$/) + 1
  const isClosed = () => {
    if (next(CLOSE) === null) return false
    if (query.slice(position).trim() === '') return true
    throw failure('expected the end after one selector (pipelines and structure are not supported)', here())
  }
  const conditions: Condition[] = []
  if (isClosed()) return conditions
  for (;;) {
    const start = here()
    const field = next(FIELD)
    const operator = field === null ? null : next(OPERATOR)
    const value = operator === null ? null : next(VALUE)
    if (field === null || operator === null || value === null) {
      throw failure('expected a condition like name = "GET /" (others are not supported)', start)
    }
    conditions.push({
      field: unquoteName(field[1] ?? ''),
      operator: operator[1] ?? '',
      value: value[1] === undefined ? (value[2] ?? value[3] ?? '') : unescapeQuoted(value[1]),
      isQuoted: value[3] === undefined,
      position: start,
    })
    if (isClosed()) return conditions
    if (next(AND) === null) {
      throw failure("expected '&&' or the closing brace (other operators are not supported)", here())
    }
  }
}

/** Names with odd characters are quoted in TraceQL: `span."odd name"`. */
function unquoteName(name: string): string {
  return name.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => unescapeQuoted(inner))
}

/** Reads a condition about what is a column of spans. `filter` is what the conditions before it say. */
type Intrinsic = (condition: Condition, filter: TraceFilter) => TraceFilter

const service: Intrinsic = (condition, filter) => ({
  service: once(equalText(condition), filter.service, condition),
})

const name: Intrinsic = (condition, filter) => ({
  operation: once(equalText(condition), filter.operation, condition),
})

const status: Intrinsic = (condition, filter) => ({
  status: once(oneOf(condition, STATUS_CODES), filter.status, condition),
})

const kind: Intrinsic = (condition, filter) => ({
  kind: once(oneOf(condition, SPAN_KINDS), filter.kind, condition),
})

const duration: Intrinsic = (condition, filter) => {
  const nanos = parseGoDuration(condition.value)
  if (nanos === null) throw failure(`'${condition.value}' is no duration like 1.5s`, condition.position)
  const [least, most] = boundsOf(condition, nanos)
  return {
    ...(least === null ? {} : { minDurationNs: larger(least, filter.minDurationNs) }),
    ...(most === null ? {} : { maxDurationNs: smaller(most, filter.maxDurationNs) }),
  }
}

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  name,
  'span:name': name,
  status,
  'span:status': status,
  kind,
  'span:kind': kind,
  duration,
  'span:duration': duration,
  'resource.service.name': service,
  '.service.name': service,
}

function boundsOf(condition: Condition, nanos: bigint): readonly [bigint | null, bigint | null] {
  switch (condition.operator) {
    case '=':
      return [nanos, nanos]
    case '>':
      return [nanos + 1n, null]
    case '>=':
      return [nanos, null]
    case '<':
      return [null, nanos - 1n]
    case '<=':
      return [null, nanos]
    default:
      throw notSupported(condition)
  }
}

function equalText(condition: Condition): string {
  if (condition.operator !== '=') throw notSupported(condition)
  return condition.value
}

function equalAttribute(condition: Condition, scope: string): AttributeEquals {
  const value = equalText(condition)
  if (!condition.isQuoted && !/^(?:true|false|[+-]?[\d.]+(?:[eE][+-]?\d+)?)$/.test(value)) {
    throw failure(
      `'${value}' is no value: expected a quoted text, a number, true or false`,
      condition.position,
    )
  }
  return { key: condition.field.slice(scope.length), value }
}

function oneOf<Name extends string>(condition: Condition, names: readonly Name[]): Name {
  const text = equalText(condition)
  const found = names.find((candidate) => candidate === text)
  if (found !== undefined && !condition.isQuoted) return found
  throw failure(`${condition.field} is one of ${names.join(', ')}, without quotes`, condition.position)
}

function once<Value>(value: Value, before: Value | undefined, condition: Condition): Value {
  if (before === undefined || before === value) return value
  throw failure(`${condition.field} cannot be two things at once`, condition.position)
}

function larger(value: bigint, other: bigint | undefined): bigint {
  return other !== undefined && other > value ? other : value
}

function smaller(value: bigint, other: bigint | undefined): bigint {
  return other !== undefined && other < value ? other : value
}

function notSupported({ field, operator, position }: Condition): AppError {
  return failure(`'${operator}' is not supported for ${field}`, position)
}

function failure(what: string, position: number): AppError {
  return new AppError('QUERY_PARSE_FAILED', `Cannot parse the TraceQL query: ${what} at 1:${position}`, {
    details: { position: { line: 1, column: position } },
  })
}
