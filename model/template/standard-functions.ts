import { RE2JS } from 're2js'
import { parseDuration } from '../duration.ts'
import { formatValue } from './format-value.ts'
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
} from './humanize.ts'
import { formatLayout } from './time-method.ts'
import type { TemplateFunction, Value } from './value.ts'

/** What the functions need to know. */
export interface StandardFunctionsOptions {
  /** The time that `now` tells, epoch milliseconds. */
  readonly nowMs: number
  /** Our address as users reach it, without a trailing slash. */
  readonly externalUrl: string
}

/**
 * The functions that Prometheus and Alertmanager give to templates, but `query`. They throw TypeError or RangeError when a
 * value does not fit.
 */
export function standardFunctions(options: StandardFunctionsOptions): ReadonlyMap<string, TemplateFunction> {
  const { nowMs, externalUrl } = options
  return new Map<string, TemplateFunction>([
    ...numberFunctions(),
    ...textFunctions(),
    ...sampleFunctions(),
    ['now', () => ({ kind: 'time', ms: nowMs })],
    ['since', (time) => BigInt(nowMs - msOf(time)) * 1_000_000n],
    ['toTime', (seconds) => ({ kind: 'time', ms: Math.trunc(toNumber(seconds) * 1000) })],
    ['toDuration', (seconds) => BigInt(Math.round(toNumber(seconds) * 1e9))],
    ['date', (layout, time) => formatLayout(new Date(msOf(time)), toText(layout))],
    ['tz', (_name, time) => time ?? null],
    ['externalURL', () => externalUrl],
    ['pathPrefix', () => pathOf(externalUrl)],
    ['graphLink', (expr) => `/graph?g0.expr=${queryEscape(toText(expr))}&g0.tab=0`],
    ['tableLink', (expr) => `/graph?g0.expr=${queryEscape(toText(expr))}&g0.tab=1`],
    ['args', (...values) => new Map(values.map((value, index) => [`arg${index}`, value]))],
    ['safeHtml', (text) => ({ kind: 'safe-html', html: toText(text) })],
    ['safeUrl', (text) => toText(text)],
    ['toJson', (value) => JSON.stringify(plain(value ?? null))],
  ])
}

function numberFunctions(): [string, TemplateFunction][] {
  const formats: readonly [string, (value: number) => string][] = [
    ['humanize', humanize],
    ['humanize1024', humanize1024],
    ['humanizeDuration', humanizeDuration],
    ['humanizePercentage', humanizePercentage],
    ['humanizeTimestamp', humanizeTimestamp],
  ]
  return [
    ...formats.map(([name, format]): [string, TemplateFunction] => [
      name,
      (value) => format(toNumber(value)),
    ]),
    [
      'parseDuration',
      (text) => {
        const ms = parseDuration(toText(text))
        if (ms === null) throw new TypeError(`not a valid duration string: ${JSON.stringify(toText(text))}`)
        return ms / 1000
      },
    ],
  ]
}

function textFunctions(): [string, TemplateFunction][] {
  return [
    ['toUpper', (text) => toText(text).toUpperCase()],
    ['toLower', (text) => toText(text).toLowerCase()],
    [
      'title',
      (text) =>
        toText(text).replace(
          /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
          (_all, before: string, letter: string) => before + letter.toUpperCase(),
        ),
    ],
    ['trimSpace', (text) => toText(text).trim()],
    ['join', (separator, list) => (Array.isArray(list) ? list.map(formatValue).join(toText(separator)) : '')],
    ['match', (pattern, text) => RE2JS.compile(toText(pattern)).matcher(toText(text)).find()],
    [
      'reReplaceAll',
      (pattern, replacement, text) => replaceAll(toText(pattern), toText(replacement), toText(text)),
    ],
    ['stringSlice', (...values) => values],
    [
      'stripPort',
      (text) =>
        toText(text)
          .replace(/^(\[[^\]]*\]|[^:]*):\d*$/, '$1')
          .replace(/^\[(.*)\]$/, '$1'),
    ],
    ['stripDomain', (text) => stripDomain(toText(text))],
    ['urlQueryEscape', (text) => queryEscape(toText(text))],
    ['urlUnescape', (text) => decodeURIComponent(toText(text).replaceAll('+', ' '))],
  ]
}

/** Functions over the result of `query`: a list of maps with Labels and Value. */
function sampleFunctions(): [string, TemplateFunction][] {
  const sample = (value: Value | undefined): ReadonlyMap<string, Value> => {
    if (value instanceof Map) return value as ReadonlyMap<string, Value>
    throw new TypeError('expected a sample of a query')
  }
  const labelOf = (value: Value | undefined, name: string): string => {
    const labels = sample(value).get('Labels')
    return labels instanceof Map ? formatValue((labels as ReadonlyMap<string, Value>).get(name) ?? '') : ''
  }
  return [
    [
      'first',
      (list) => {
        if (Array.isArray(list) && list.length > 0) return list[0] as Value
        throw new RangeError('first() called on vector with no elements')
      },
    ],
    ['label', (name, value) => labelOf(value, toText(name))],
    ['value', (value) => sample(value).get('Value') ?? 0],
    ['strvalue', (value) => labelOf(value, '__value__')],
    [
      'sortByLabel',
      (name, list) => {
        if (!Array.isArray(list)) throw new TypeError('expected the result of a query')
        const by = toText(name)
        return [...(list as readonly Value[])].sort((a, b) =>
          labelOf(a, by) < labelOf(b, by) ? -1 : labelOf(a, by) > labelOf(b, by) ? 1 : 0,
        )
      },
    ],
  ]
}

function toText(value: Value | undefined): string {
  return value === undefined || value === null ? '' : formatValue(value)
}

/** Numbers, durations and numeric texts, as Prometheus' convertToFloat. */
function toNumber(value: Value | undefined): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string' && /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(value))
    return Number(value)
  if (typeof value === 'string' && /^[+-]?(?:Inf|Infinity)$/i.test(value)) {
    return value.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (value === 'NaN') return Number.NaN
  throw new TypeError(`can't convert ${toText(value)} to float`)
}

function msOf(value: Value | undefined): number {
  if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'time') return value.ms
  throw new TypeError('expected a time')
}

function stripDomain(text: string): string {
  const [, host = text, port = ''] = /^([^:]*)(:\d+)?$/.exec(text) ?? []
  // An address has no domain.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host) || text.includes('[')) return text
  return (host.split('.')[0] ?? host) + port
}

function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname.replace(/\/$/, '')
  } catch {
    return ''
  }
}

/** Go's Regexp.ReplaceAllString: `$1`, `${1}`, `$name`, `${name}`, `$$`; the name is as long as it can be. */
function replaceAll(pattern: string, replacement: string, text: string): string {
  const matcher = RE2JS.compile(pattern).matcher(text)
  let result = ''
  let behind = 0
  while (matcher.find()) {
    result += text.slice(behind, matcher.start())
    result += replacement.replace(GO_REFERENCE, (_all, braced: string, bare: string) => {
      const name = braced ?? bare
      return name === undefined ? '$' : groupText(matcher, name)
    })
    behind = matcher.end()
  }
  return result + text.slice(behind)
}

const GO_REFERENCE = /\$\$|\$\{([\p{L}\p{N}_]+)\}|\$([\p{L}\p{N}_]+)/gu

function groupText(
  matcher: { group(name: number | string): string | null; groupCount(): number },
  name: string,
): string {
  try {
    if (/^\d+$/.test(name))
      return Number(name) <= matcher.groupCount() ? (matcher.group(Number(name)) ?? '') : ''
    return matcher.group(name) ?? ''
  } catch {
    return ''
  }
}

function plain(value: Value): unknown {
  if (Array.isArray(value)) return value.map((item: Value) => plain(item))
  if (value instanceof Map) {
    return Object.fromEntries(
      [...(value as ReadonlyMap<string, Value>)].map(([key, item]) => [key, plain(item)]),
    )
  }
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'object' && value !== null ? formatValue(value) : value
}
