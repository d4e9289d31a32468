import {
  type CounterResetHint,
  EMPTY_HISTOGRAM,
  type FloatHistogram,
  type HistogramSpan,
} from '../../../model/float-histogram.ts'
import { quoteText } from '../../../model/labels.ts'
import { parseError } from '../parse-error.ts'
import { parseSignedNumber } from '../parse-number.ts'

/** A histogram in the notation of tests. */
export interface ParsedHistogram {
  readonly histogram: FloatHistogram
  /** The counter reset hint was written. */
  readonly isHintSet: boolean
}

/**
 * Reads what stands between `{{` and `}}`: `schema:1 sum:0.3 count:3 z_bucket:1 z_bucket_w:0.05 buckets:[5 10] offset:-3 n_buckets:[4] n_offset:-5
 * custom_values:[1 2] counter_reset_hint:gauge`. `from` and `to` are its bounds in the text. Throws AppError QUERY_PARSE_FAILED with the position.
 */
export function parseHistogram(text: string, from: number, to: number): ParsedHistogram {
  const written = new Map<string, string>()
  let at = from
  for (;;) {
    while (at < to && /\s/.test(text.charAt(at))) at += 1
    if (at >= to) break
    ITEM.lastIndex = at
    const match = ITEM.exec(text.slice(0, to))
    const [whole = '', key = '', value = ''] = match ?? []
    if (match === null || !KEYS.has(key)) {
      throw parseError(
        text,
        { start: at, end: to },
        `bad histogram descriptor found: ${quoteText(text.slice(at, to).split(/[\s:]/)[0] ?? '')}`,
      )
    }
    if (written.has(key)) {
      throw parseError(text, { start: at, end: to }, `duplicate key ${quoteText(key)} in histogram`)
    }
    written.set(key, value)
    at += whole.length
  }

  const fail = (key: string): Error =>
    parseError(
      text,
      { start: from, end: to },
      `error parsing ${key} of a histogram: ${quoteText(written.get(key) ?? '')}`,
    )
  const number = (key: string): number => {
    const value = parseSignedNumber(written.get(key) ?? '0')
    if (value === null) throw fail(key)
    return value
  }
  const list = (key: string): number[] => {
    const inner = (written.get(key) ?? '[]').slice(1, -1).trim()
    const values = inner === '' ? [] : inner.split(/\s+/).map(parseSignedNumber)
    return values.map((value) => {
      if (value === null) throw fail(key)
      return value
    })
  }
  const hint = written.get('counter_reset_hint') ?? 'unknown'
  if (!isHint(hint)) throw fail('counter_reset_hint')
  const positiveBuckets = list('buckets')
  const negativeBuckets = list('n_buckets')
  return {
    histogram: {
      ...EMPTY_HISTOGRAM,
      schema: number('schema'),
      sum: number('sum'),
      count: number('count'),
      zeroCount: number('z_bucket'),
      zeroThreshold: number('z_bucket_w'),
      positiveBuckets,
      positiveSpans: spansOf(positiveBuckets, number('offset')),
      negativeBuckets,
      negativeSpans: spansOf(negativeBuckets, number('n_offset')),
      customValues: list('custom_values'),
      counterResetHint: hint,
    },
    isHintSet: written.has('counter_reset_hint'),
  }
}

const KEYS: ReadonlySet<string> = new Set([
  'schema',
  'sum',
  'count',
  'z_bucket',
  'z_bucket_w',
  'custom_values',
  'counter_reset_hint',
  'buckets',
  'offset',
  'n_buckets',
  'n_offset',
])
const ITEM = /([a-z_]+):(\[[^\]]*\]|[^\s[\]]+)(?=\s|$)/y

function spansOf(buckets: readonly number[], offset: number): HistogramSpan[] {
  return buckets.length === 0 ? [] : [{ offset, length: buckets.length }]
}

function isHint(text: string): text is CounterResetHint {
  return text === 'unknown' || text === 'reset' || text === 'not_reset' || text === 'gauge'
}
