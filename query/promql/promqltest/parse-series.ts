import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { addHistograms, subtractHistograms } from '../../../model/histogram/add-histograms.ts'
import { type Labels, quoteText } from '../../../model/labels.ts'
import { parseError } from '../parse-error.ts'
import { parseMetric } from '../parse-metric.ts'
import { parseSignedNumber } from '../parse-number.ts'
import { scanString } from '../quoted-string.ts'
import { type ParsedHistogram, parseHistogram } from './parse-histogram.ts'

/** One place of a series in the notation of tests. `isHintSet`: the counter reset hint was written and is to be compared. */
export type SequenceValue =
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'histogram'; readonly histogram: FloatHistogram; readonly isHintSet: boolean }

/** A series in the notation of tests. */
export interface SeriesDescription {
  readonly labels: Labels
  /** Value i stands at i times the interval of whoever uses it. */
  readonly values: readonly SequenceValue[]
}

/**
 * Reads a series and its values as Prometheus' test scripts and `promtool test rules` write them: `up{job="a"} 1 2+1x3 _x2 stale {{sum:3 count:2}}`.
 * Throws AppError QUERY_PARSE_FAILED with the position.
 */
export function parseSeries(text: string): SeriesDescription {
  const end = metricEnd(text)
  return { labels: parseMetric(text.slice(0, end)), values: parseValues(text, end) }
}

/**
 * Reads values alone (`values` of promtool's `input_series`): numbers, `axN` (a, N more times), `a+bxN`, `a-bxN`, `_` and `_xN` (missing),
 * `stale`, native histograms. `from` is the offset where they begin. Throws AppError QUERY_PARSE_FAILED with the position.
 */
export function parseValues(text: string, from = 0): readonly SequenceValue[] {
  const values: SequenceValue[] = []
  let at = from
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1
    if (at >= text.length) return values
    at = text.startsWith('{{', at) ? readHistograms(text, at, values) : readNumbers(text, at, values)
    if (at < text.length && !/\s/.test(text.charAt(at))) {
      throw unexpected(text, at, `unexpected ${quoteText(text.charAt(at))} in series values`)
    }
  }
}

/** A series may not have more values than this. */
const MOST_VALUES = 5_000_000
const DIGITS = String.raw`\d+(?:_\d+)*`
const NUMBER = String.raw`(?:(?:${DIGITS}(?:\.(?:${DIGITS})?)?|\.${DIGITS})(?:[eE][+-]?\d+)?|[iI][nN][fF]|[nN][aA][nN])`
const ITEM = new RegExp(String.raw`(?:(_)|(stale)|([+-]?${NUMBER})([+-]${NUMBER})?)(?:x(\d+))?(?=\s|$)`, 'y')

function readNumbers(text: string, at: number, into: SequenceValue[]): number {
  ITEM.lastIndex = at
  const match = ITEM.exec(text)
  const [written = '', missing, stale, first = '', step, times] = match ?? []
  if (match === null || (step !== undefined && times === undefined)) {
    const rest = /\S*/y
    rest.lastIndex = at
    const word = rest.exec(text)?.[0] ?? ''
    throw unexpected(text, at, `unexpected ${quoteText(word)} in series values`)
  }
  const count = repetitions(text, at, times, into)
  if (missing !== undefined) push(into, { kind: 'missing' }, times === undefined ? 1 : count)
  else if (stale !== undefined) push(into, { kind: 'stale' }, count + 1)
  else {
    const increment = step === undefined ? 0 : (parseSignedNumber(step) ?? Number.NaN)
    // Added up one by one, as Prometheus does, so that rounding is the same.
    let value = parseSignedNumber(first) ?? Number.NaN
    for (let i = 0; i <= count; i += 1) {
      into.push({ kind: 'float', value })
      if (step !== undefined) value += increment
    }
  }
  return at + written.length
}

function readHistograms(text: string, at: number, into: SequenceValue[]): number {
  const base = histogramAt(text, at)
  at = base.end
  const sign = text.charAt(at)
  const increment =
    (sign === '+' || sign === '-') && text.startsWith('{{', at + 1) ? histogramAt(text, at + 1) : null
  if (increment !== null) at = increment.end
  const times = /x(\d+)/y
  times.lastIndex = at
  const match = times.exec(text)
  if (increment !== null && match === null)
    throw unexpected(text, at, 'unexpected end of series values, expected "x"')
  const count = repetitions(text, at, match?.[1], into)
  let { histogram } = base
  const { isHintSet } = increment ?? base
  into.push({ kind: 'histogram', histogram, isHintSet })
  for (let i = 0; i < count; i += 1) {
    if (increment !== null) {
      if (histogram.schema > increment.histogram.schema) {
        const schemas = `from schema ${increment.histogram.schema} to ${histogram.schema}`
        throw unexpected(text, at, `error combining histograms: cannot merge ${schemas}`)
      }
      const combine = sign === '+' ? addHistograms : subtractHistograms
      const next = combine(histogram, increment.histogram)
      if (next === null) throw unexpected(text, at, 'error combining histograms: only one has its own bounds')
      histogram = next.histogram
    }
    into.push({ kind: 'histogram', histogram, isHintSet })
  }
  return at + (match?.[0].length ?? 0)
}

function histogramAt(text: string, at: number): ParsedHistogram & { readonly end: number } {
  const close = text.indexOf('}}', at)
  if (close === -1) throw unexpected(text, at, 'histogram description incomplete unexpected: end of input')
  return { ...parseHistogram(text, at + 2, close), end: close + 2 }
}

function repetitions(text: string, at: number, times: string | undefined, into: SequenceValue[]): number {
  const count = Number(times ?? 0)
  if (into.length + count > MOST_VALUES) {
    throw unexpected(text, at, `a series has at most ${MOST_VALUES} values`)
  }
  return count
}

function push(into: SequenceValue[], value: SequenceValue, times: number): void {
  for (let i = 0; i < times; i += 1) into.push(value)
}

function metricEnd(text: string): number {
  const name = /\s*[A-Za-z_:][A-Za-z0-9_:]*/y.exec(text)?.[0].length ?? 0
  const start = name === 0 ? text.length - text.trimStart().length : name
  if (text.charAt(start) !== '{') return name
  let at = start + 1
  while (at < text.length && text.charAt(at) !== '}') {
    const isQuote = /["'`]/.test(text.charAt(at))
    const string = isQuote ? scanString(text, at) : { end: at + 1 }
    if ('reason' in string) return text.length
    at = string.end
  }
  return Math.min(at + 1, text.length)
}

function unexpected(text: string, at: number, reason: string): Error {
  return parseError(text, { start: at, end: text.length }, reason)
}
