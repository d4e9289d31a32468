import { setImmediate } from 'node:timers/promises'
import type { Labels } from '../../../model/labels.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { formatFloat } from '../../promql/format-float.ts'
import type { MatrixSeries, QueryResult, VectorSample } from '../../promql/query-engine.ts'
import { toPrometheusResult } from './to-prometheus-result.ts'

/** What stands in an answer beside the result. */
export interface AnswerNotes {
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
  /** `data.stats`; null: not asked for. */
  readonly stats: object | null
  /** `plan`; null: not asked for. */
  readonly plan: object | null
}

/** Characters of one piece, about. */
const PIECE_CHARACTERS = 1 << 16
/** Others of the same thread have their turn after so long, milliseconds. */
const TURN_MS = 15

/**
 * Writes the answer of Prometheus' `query` and `query_range` as JSON, in pieces, the pieces of a large one with pauses between them. At most `limit` series (null: all).
 */
export async function* writeQueryAnswer(
  result: QueryResult,
  limit: number | null,
  notes: AnswerNotes,
  clock: Pick<Clock, 'monotonic'>,
): AsyncGenerator<string> {
  let turnEndsAt = clock.monotonic() + TURN_MS
  let piece = ''
  for (const text of answerTexts(result, limit, notes)) {
    piece += text
    if (piece.length < PIECE_CHARACTERS) continue
    yield piece
    piece = ''
    if (clock.monotonic() < turnEndsAt) continue
    await setImmediate()
    turnEndsAt = clock.monotonic() + TURN_MS
  }
  yield piece
}

function* answerTexts(result: QueryResult, limit: number | null, notes: AnswerNotes): Generator<string> {
  yield '{"status":"success","data":{"resultType":'
  yield JSON.stringify(result.type)
  yield ',"result":'
  if (result.type === 'vector' || result.type === 'matrix') yield* seriesTexts(result, limit)
  else yield JSON.stringify(toPrometheusResult(result, null).result)
  if (notes.stats !== null) yield `,"stats":${JSON.stringify(notes.stats)}`
  yield '}'
  if (notes.warnings.length > 0) yield `,"warnings":${JSON.stringify(notes.warnings)}`
  if (notes.infos.length > 0) yield `,"infos":${JSON.stringify(notes.infos)}`
  if (notes.plan !== null) yield `,"plan":${JSON.stringify(notes.plan)}`
  yield '}'
}

function* seriesTexts(
  result: Extract<QueryResult, { readonly type: 'vector' | 'matrix' }>,
  limit: number | null,
): Generator<string> {
  yield '['
  const end = limit ?? Number.POSITIVE_INFINITY
  if (result.type === 'vector') {
    for (const [index, sample] of result.vector.entries()) {
      if (index >= end) break
      if (index > 0) yield ','
      yield vectorText(sample)
    }
  } else {
    const times = createTimeTexts()
    for (const [index, series] of result.matrix.entries()) {
      if (index >= end) break
      if (index > 0) yield ','
      yield* matrixTexts(series, times)
    }
  }
  yield ']'
}

function vectorText(sample: VectorSample): string {
  if (sample.histogram !== undefined) {
    const one: QueryResult = { type: 'vector', vector: [sample], warnings: [], infos: [] }
    return onlyElement(one)
  }
  return `{"metric":${metricText(sample.labels)},"value":[${timeText(sample.timestampMs)},"${formatFloat(sample.value)}"]}`
}

/** A series of many points is many pieces. */
const POINTS_AT_ONCE = 1000

function* matrixTexts(series: MatrixSeries, times: (ms: number) => string): Generator<string> {
  const { labels, timestamps, values, histograms } = series
  if (histograms != null) {
    yield onlyElement({ type: 'matrix', matrix: [series], warnings: [], infos: [] })
    return
  }
  let text = `{"metric":${metricText(labels)},"values":[`
  for (let i = 0; i < timestamps.length; i += 1) {
    text += `${times(timestamps[i] as number)}${formatFloat(values[i] as number)}"]`
    if (i < timestamps.length - 1) text += ','
    if (i % POINTS_AT_ONCE !== POINTS_AT_ONCE - 1) continue
    yield text
    text = ''
  }
  yield `${text}]}`
}

/** Histograms have a form of their own. */
function onlyElement(result: QueryResult): string {
  return JSON.stringify(toPrometheusResult(result, null).result).slice(1, -1)
}

function metricText(labels: Labels): string {
  let text = '{'
  for (let i = 0; i < labels.length; i += 2) {
    if (i > 0) text += ','
    text += `${JSON.stringify(labels[i])}:${JSON.stringify(labels[i + 1])}`
  }
  return `${text}}`
}

/** The beginning of a point. Series of one grid share their times, so each is written once. */
function createTimeTexts(): (ms: number) => string {
  const texts = new Map<number, string>()
  return (ms) => {
    let text = texts.get(ms)
    if (text === undefined) {
      text = `[${timeText(ms)},"`
      // A range vector's samples have times of their own.
      if (texts.size > 20_000) texts.clear()
      texts.set(ms, text)
    }
    return text
  }
}

/** Seconds with three decimals, or none where there are no milliseconds. */
function timeText(ms: number): string {
  const whole = Math.trunc(Math.abs(ms) / 1000)
  const rest = Math.abs(ms) - whole * 1000
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`
  return `${ms < 0 ? '-' : ''}${whole}${fraction}`
}
