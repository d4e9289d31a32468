import { formatFloat } from './format-float.ts'
import { contentOf, typeName, type Value } from './value.ts'

/** A value as Go's `%v` prints it. */
export function formatValue(outer: Value): string {
  const value = contentOf(outer)
  if (value === null) return '<no value>'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return formatFloat(value, 'g', -1)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'function') return '<func>'
  if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, Value>)].sort(([a], [b]) =>
      a < b ? -1 : a > b ? 1 : 0,
    )
    return `map[${entries.map(([key, item]) => `${key}:${formatValue(item)}`).join(' ')}]`
  }
  const other = value as Exclude<typeof value, readonly Value[] | ReadonlyMap<string, Value>>
  if (other.kind === 'safe-html') return other.html
  if (other.kind === 'time') return formatTime(other.ms)
  return `{${[...other.fields.values()]
    .filter((field) => typeof field !== 'function')
    .map(formatValue)
    .join(' ')}}`
}

/** An instant as Go's time.Time prints: `2015-06-23 13:19:44.128 +0000 UTC`. */
export function formatTime(ms: number): string {
  const iso = new Date(ms).toISOString()
  const fraction = iso.slice(19, 23).replace(/\.?0+$/, '')
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction} +0000 UTC`
}

/** Go's fmt.Sprintf for the verbs that templates use: %v %s %d %q %t %f %e %g %x %X %c %U %%, flags, width and precision. */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0
  const text = format.replace(
    /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%$/g,
    (
      all,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      verb: string | undefined,
    ) => {
      if (verb === undefined) return '%!(NOVERB)'
      if (verb === '%') return '%'
      const hasPrecision = all.includes('.')
      const widthValue = width === '*' ? toInteger(args[next++]) : Number(width ?? 0)
      const precisionValue = precision === '*' ? toInteger(args[next++]) : Number(precision ?? 0)
      if (next >= args.length) return `%!${verb}(MISSING)`
      const value = args[next++] as Value
      const body = formatVerb(verb, value, flags, hasPrecision ? Math.min(precisionValue, 500) : -1)
      return pad(
        body,
        flags,
        Math.min(widthValue, 1000),
        typeof value === 'number' || typeof value === 'bigint',
      )
    },
  )
  if (next >= args.length) return text
  const extra = args.slice(next).map((value) => `${typeName(value)}=${formatValue(value)}`)
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

function formatVerb(verb: string, value: Value, flags: string, precision: number): string {
  const bad = (): string => `%!${verb}(${typeName(value)}=${formatValue(value)})`
  const signed = (text: string): string => {
    if (text.startsWith('-') || text.startsWith('+')) return text
    return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text
  }
  switch (verb) {
    case 'v':
      return typeof value === 'number' && precision >= 0
        ? signed(formatFloat(value, 'g', precision))
        : formatValue(value)
    case 's':
      if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return bad()
      return precision >= 0 ? [...formatValue(value)].slice(0, precision).join('') : formatValue(value)
    case 'q':
      return typeof value === 'string' ? JSON.stringify(value) : bad()
    case 't':
      return typeof value === 'boolean' ? String(value) : bad()
    case 'd':
      return typeof value === 'bigint' ? signed(String(value)) : bad()
    case 'f':
    case 'F':
    case 'e':
    case 'g': {
      if (typeof value !== 'number') return bad()
      const kind = verb === 'F' ? 'f' : (verb as 'f' | 'e' | 'g')
      const digits = precision < 0 && kind !== 'g' ? 6 : precision
      return signed(formatFloat(value, kind, digits))
    }
    case 'x':
    case 'X': {
      const text =
        typeof value === 'bigint'
          ? value.toString(16)
          : typeof value === 'string'
            ? Buffer.from(value, 'utf8').toString('hex')
            : bad()
      return verb === 'X' ? text.toUpperCase() : text
    }
    case 'c':
      return typeof value === 'bigint' && value >= 0n && value <= 0x10ffffn
        ? String.fromCodePoint(Number(value))
        : bad()
    case 'U':
      return typeof value === 'bigint' ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : bad()
    default:
      return bad()
  }
}

function pad(body: string, flags: string, width: number, isNumber: boolean): string {
  const missing = width - [...body].length
  if (missing <= 0) return body
  if (flags.includes('-')) return body + ' '.repeat(missing)
  if (!flags.includes('0') || !isNumber || !/\d/.test(body)) return ' '.repeat(missing) + body
  const sign = /^[+-]/.test(body) ? body.slice(0, 1) : ''
  return sign + '0'.repeat(missing) + body.slice(sign.length)
}

function toInteger(value: Value | undefined): number {
  return typeof value === 'bigint' ? Number(value) : 0
}
