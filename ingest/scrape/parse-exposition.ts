import { AppError } from '../../runtime/errors.ts'
import { METADATA_TYPES, type MetadataType } from '../prometheus/metadata-types.ts'
import {
  type ExposedExemplar,
  type ExposedMetadata,
  type ExposedSample,
  type Exposition,
  NO_EXEMPLARS,
} from './exposition.ts'

/** Whose parts have a label that holds a number. */
const NUMBER_LABELS: Readonly<Partial<Record<MetadataType, ExposedSample['numberLabel']>>> = {
  histogram: 'le',
  summary: 'quantile',
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/**
 * Reads a page of metrics: Prometheus' text format 0.0.4, or OpenMetrics 1.0 (`isOpenMetrics`), whose times are seconds and whose last
 * line must be `# EOF`. Labels are not looked into: see `parseSeriesText`. Throws MALFORMED_MESSAGE with the line, and then nothing counts.
 */
export function parseExposition(text: string, isOpenMetrics: boolean): Exposition {
  const samples: ExposedSample[] = []
  const metadata = new Map<string, ExposedMetadata>()
  let position = 0
  let line = 0
  let isEnded = false
  let numberLabel: ExposedSample['numberLabel'] = null
  while (position < text.length) {
    line += 1
    const newline = text.indexOf('\n', position)
    const end = newline < 0 ? text.length : newline
    const start = skipBlanks(text, position, end)
    position = end + 1
    if (start === end) {
      if (isOpenMetrics) throw broken(line, 'a blank line')
      continue
    }
    if (isEnded) throw broken(line, 'something after # EOF')
    if (text[start] === '#') {
      if (isOpenMetrics && text.slice(start, end) === '# EOF') isEnded = true
      else {
        const type = readComment(text.slice(start, end), metadata)
        if (type !== null) numberLabel = NUMBER_LABELS[type] ?? null
      }
      continue
    }
    samples.push(readSample(text, start, end, line, isOpenMetrics, numberLabel))
  }
  if (isOpenMetrics && !isEnded) throw broken(line, 'the page ends without # EOF')
  return { samples, metadata }
}

/** Where the series at `start` ends: behind its closing brace, or behind its name. -1: it does not end in the line. */
export function seriesEnd(text: string, start: number, end: number): number {
  let at = start
  while (at < end && text[at] !== '{' && text[at] !== ' ' && text[at] !== '\t') at += 1
  const brace = skipBlanks(text, at, end)
  if (text[brace] !== '{' || brace >= end) return at
  let isQuoted = false
  for (at = brace + 1; at < end; at += 1) {
    const character = text[at]
    if (isQuoted && character === '\\') at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (character === '}' && !isQuoted) return at + 1
  }
  return -1
}

function readSample(
  text: string,
  start: number,
  end: number,
  line: number,
  isOpenMetrics: boolean,
  numberLabel: ExposedSample['numberLabel'],
): ExposedSample {
  const to = seriesEnd(text, start, end)
  if (to < 0) throw broken(line, 'labels without a closing brace')
  const series = text.slice(start, to)
  let rest = text.slice(to, end)
  let exemplars = NO_EXEMPLARS
  const mark = isOpenMetrics ? rest.indexOf('#') : -1
  if (mark >= 0) {
    exemplars = [readExemplar(rest.slice(mark + 1), line)]
    rest = rest.slice(0, mark)
  }
  const [value = '', time, ...more] = rest.trim().split(/[ \t]+/)
  if (more.length > 0) throw broken(line, `${JSON.stringify(more[0])} after the time`)
  return {
    series,
    labels: null,
    numberLabel,
    value: readValue(value, line),
    histogram: null,
    timestampMs: time === undefined ? null : readTime(time, line, isOpenMetrics),
    startMs: 0,
    exemplars,
  }
}

function readExemplar(text: string, line: number): ExposedExemplar {
  const start = skipBlanks(text, 0, text.length)
  const end = seriesEnd(text, start, text.length)
  if (text[start] !== '{' || end < 0) throw broken(line, 'an exemplar without labels')
  const [value = '', time, ...more] = text
    .slice(end)
    .trim()
    .split(/[ \t]+/)
  if (more.length > 0) throw broken(line, `${JSON.stringify(more[0])} after the exemplar's time`)
  return {
    labels: parseLabels(text.slice(start, end), line),
    value: readValue(value, line),
    timestampMs: time === undefined ? null : readTime(time, line, true),
  }
}

/** The labels of a series as written, its name as `__name__`. Throws MALFORMED_MESSAGE. */
export function parseSeriesText(series: string): readonly (readonly [string, string])[] {
  const brace = series.indexOf('{')
  const name = (brace < 0 ? series : series.slice(0, brace)).trimEnd()
  const labels = brace < 0 ? [] : parseLabels(series.slice(brace), null)
  if (name === '') return labels
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
    throw broken(null, `${JSON.stringify(name)} is not the name of a metric`)
  }
  return [['__name__', name], ...labels]
}

const LABEL =
  /[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\.)*)")[ \t]*(?:=[ \t]*"((?:[^"\\]|\\.)*)")?[ \t]*(,|\})/y

function parseLabels(text: string, line: number | null): (readonly [string, string])[] {
  const labels: (readonly [string, string])[] = []
  if (/^\{[ \t]*\}$/.test(text)) return labels
  LABEL.lastIndex = 1
  const names = new Set<string>()
  for (;;) {
    const at = LABEL.lastIndex
    const match = LABEL.exec(text)
    if (match === null) throw broken(line, `it cannot be read at ${JSON.stringify(text.slice(at, at + 20))}`)
    const [, bare, quoted, value, next] = match
    // A name in quotes that has no value is the metric's.
    if (value === undefined && quoted === undefined) throw broken(line, `the label ${bare} has no value`)
    const name = value === undefined ? '__name__' : (bare ?? unescapeText(quoted ?? ''))
    if (names.has(name)) throw broken(line, `the label ${JSON.stringify(name)} is there twice`)
    names.add(name)
    labels.push([name, unescapeText(value ?? quoted ?? '')])
    if (next === '}') {
      if (LABEL.lastIndex !== text.length) throw broken(line, 'something after the labels')
      return labels
    }
    if (/^[ \t]*\}$/.test(text.slice(LABEL.lastIndex))) return labels
  }
}

/** Returns the type when the comment tells one. */
function readComment(comment: string, metadata: Map<string, ExposedMetadata>): MetadataType | null {
  const match = /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+(?:"((?:[^"\\]|\\.)*)"|(\S+))[ \t]*(.*)$/.exec(comment)
  if (match === null) return null
  const [, kind, quoted, bare = '', rest = ''] = match
  const name = quoted === undefined ? bare : unescapeText(quoted)
  const known = metadata.get(name) ?? { type: 'unknown', help: '', unit: '' }
  metadata.set(name, known)
  if (kind === 'HELP') known.help = unescapeText(rest)
  else if (kind === 'UNIT') known.unit = rest.trim()
  else {
    known.type = readType(rest.trim())
    return known.type
  }
  return null
}

function readType(text: string): MetadataType {
  return METADATA_TYPES.find((type) => type === text) ?? 'unknown'
}

function readValue(text: string, line: number): number {
  const value = parseNumber(text)
  if (value !== null) return value
  throw broken(line, `${JSON.stringify(text)} is not a number`)
}

/** A number as pages have it; null when it is none. */
export function parseNumber(text: string): number | null {
  if (NUMBER.test(text)) return Number(text)
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text)
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return /^nan$/i.test(text) ? Number.NaN : null
}

function readTime(text: string, line: number, isSeconds: boolean): number {
  if (isSeconds ? NUMBER.test(text) : /^-?\d{1,16}$/.test(text)) {
    const ms = isSeconds ? Math.round(Number(text) * 1000) : Number(text)
    if (Number.isSafeInteger(ms)) return ms
  }
  throw broken(line, `${JSON.stringify(text)} is not a time`)
}

function unescapeText(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

function skipBlanks(text: string, from: number, end: number): number {
  let at = from
  while (at < end && (text[at] === ' ' || text[at] === '\t' || text[at] === '\r')) at += 1
  return at
}

function broken(line: number | null, reason: string): AppError {
  return new AppError(
    'MALFORMED_MESSAGE',
    `Cannot read the metrics: ${reason}${line === null ? '' : ` in line ${line}`}`,
  )
}
