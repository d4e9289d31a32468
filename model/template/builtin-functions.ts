import { formatValue, sprintf } from './format-value.ts'
import { contentOf, isEmpty, type TemplateFunction, typeName, type Value } from './value.ts'

/** `and` and `or` stop at the first value that decides: the renderer evaluates their arguments itself. */
const LAZY = ['and', 'or'] as const

type Builtin = Exclude<(typeof LAZY)[number], never>

/** Names that need no definition: Go's predefined functions. */
export const BUILTIN_NAMES: ReadonlySet<string> = new Set<string | Builtin>([
  ...LAZY,
  'call',
  'eq',
  'ge',
  'gt',
  'html',
  'index',
  'js',
  'le',
  'len',
  'lt',
  'ne',
  'not',
  'print',
  'printf',
  'println',
  'slice',
  'urlquery',
])

/** Go's predefined functions but `and` and `or`. They throw TypeError or RangeError with Go's words. */
export const BUILTIN_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['not', (value) => isEmpty(value ?? null)],
  [
    'eq',
    (first, ...rest) => {
      if (rest.length === 0) throw new TypeError('missing argument for comparison')
      return rest.some((other) => isEqual(first ?? null, other))
    },
  ],
  ['ne', (a, b) => !isEqual(a ?? null, b ?? null)],
  ['lt', (a, b) => compare(a ?? null, b ?? null) < 0],
  ['le', (a, b) => compare(a ?? null, b ?? null) <= 0],
  ['gt', (a, b) => compare(a ?? null, b ?? null) > 0],
  ['ge', (a, b) => compare(a ?? null, b ?? null) >= 0],
  ['len', (value) => lengthOf(value ?? null)],
  ['index', (value, ...keys) => keys.reduce<Value>((item, key) => indexOf(item, key), value ?? null)],
  ['slice', (value, from, to) => sliceOf(value ?? null, from, to)],
  ['print', (...values) => printAll(values)],
  ['println', (...values) => `${values.map(formatValue).join(' ')}\n`],
  [
    'printf',
    (format, ...values) => {
      if (typeof format !== 'string') throw new TypeError('wrong type for value; expected string')
      return sprintf(format, values)
    },
  ],
  ['html', (...values) => escapeHtml(printAll(values))],
  ['js', (...values) => escapeJs(printAll(values))],
  [
    'urlquery',
    (...values) =>
      encodeURIComponent(printAll(values))
        .replace(/%20/g, '+')
        .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
  ],
  [
    'call',
    (callee, ...args) => {
      if (typeof callee !== 'function')
        throw new TypeError(`non-function ${formatValue(callee ?? null)} of type ${typeName(callee ?? null)}`)
      return callee(...args)
    },
  ],
])

/** Text for HTML, as Go's template.HTMLEscapeString. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (char) => {
    switch (char) {
      case '&':
        return '&amp;'
      case '<':
        return '&lt;'
      case '>':
        return '&gt;'
      case '"':
        return '&#34;'
      case "'":
        return '&#39;'
      default:
        return '\uFFFD'
    }
  })
}

/** Go's Print: spaces between operands when neither is a string. */
function printAll(values: readonly Value[]): string {
  let text = ''
  values.forEach((value, index) => {
    const previous = values[index - 1]
    if (index > 0 && typeof value !== 'string' && typeof previous !== 'string') text += ' '
    text += formatValue(value)
  })
  return text
}

function isEqual(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b)
  if (a === null || b === null) return a === b
  if (typeof a === 'object' || typeof b === 'object') throw new TypeError('non-comparable type')
  if (typeof a !== typeof b) throw new TypeError('incompatible types for comparison')
  return a === b
}

function compare(a: Value, b: Value): number {
  if (isNumber(a) && isNumber(b))
    return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : Number(a) === Number(b) ? 0 : Number.NaN
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new TypeError('incompatible types for comparison')
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function lengthOf(outer: Value): bigint {
  const value = contentOf(outer)
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value, 'utf8'))
  if (Array.isArray(value)) return BigInt(value.length)
  if (value instanceof Map) return BigInt(value.size)
  throw new TypeError(`len of type ${typeName(value)}`)
}

function indexOf(outer: Value, key: Value): Value {
  const value = contentOf(outer)
  if (value instanceof Map)
    return (typeof key === 'string' ? (value as ReadonlyMap<string, Value>).get(key) : undefined) ?? ''
  if (Array.isArray(value) || typeof value === 'string') {
    const at = Number(isNumber(key) ? key : Number.NaN)
    const items: readonly Value[] =
      typeof value === 'string' ? [...Buffer.from(value, 'utf8')].map(BigInt) : value
    if (!Number.isInteger(at)) throw new TypeError(`cannot index slice/array with type ${typeName(key)}`)
    if (at < 0 || at >= items.length) throw new RangeError(`index out of range: ${at}`)
    return items[at] as Value
  }
  throw new TypeError(`can't index item of type ${typeName(value)}`)
}

function sliceOf(value: Value, from: Value | undefined, to: Value | undefined): Value {
  const length = Number(lengthOf(value))
  const start = from === undefined ? 0 : Number(isNumber(from) ? from : Number.NaN)
  const end = to === undefined ? length : Number(isNumber(to) ? to : Number.NaN)
  if (!(start >= 0 && start <= end && end <= length)) throw new RangeError(`index out of range: ${end}`)
  if (typeof value === 'string') return Buffer.from(value, 'utf8').subarray(start, end).toString('utf8')
  if (Array.isArray(value)) return value.slice(start, end)
  throw new TypeError(`slice of type ${typeName(value)}`)
}

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\p{Cc}]/gu, (char) => {
    if (char === '\\') return '\\\\'
    if (char === "'") return "\\'"
    if (char === '"') return '\\"'
    return `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}
