import { setImmediate } from 'node:timers/promises'
import type { Labels } from '../../../model/labels.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { formatFloat } from '../../promql/format-float.ts'
import type { MatrixSeries, QueryResult, VectorSample } from '../../promql/query-engine.ts'
import { type AnswerBytes, createAnswerBytes, timeText } from './answer-bytes.ts'
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

/** Others of the same thread have their turn after so long, milliseconds. */
const TURN_MS = 15

/**
 * Writes the answer of Prometheus' `query` and `query_range` as JSON, in pieces, the pieces of a large one with pauses between them. At most `limit` series
 * (null: all). Where `areSent` says that no piece given so far is needed any more, the next are written over them.
 */
export async function* writeQueryAnswer(
  result: QueryResult,
  limit: number | null,
  notes: AnswerNotes,
  clock: Pick<Clock, 'monotonic'>,
  areSent: () => boolean,
): AsyncGenerator<Buffer> {
  let turnEndsAt = clock.monotonic() + TURN_MS
  const answer = createAnswerBytes(areSent)
  for (const _ of partsOf(answer, result, limit, notes)) {
    if (!answer.isFull()) continue
    yield answer.take()
    if (clock.monotonic() < turnEndsAt) continue
    await setImmediate()
    turnEndsAt = clock.monotonic() + TURN_MS
  }
  yield answer.take()
}

/** Writes an answer, with a stop wherever a piece of it may be taken. */
function* partsOf(
  answer: AnswerBytes,
  result: QueryResult,
  limit: number | null,
  notes: AnswerNotes,
): Generator<void> {
  answer.text(`{"status":"success","data":{"resultType":${JSON.stringify(result.type)},"result":`)
  if (result.type === 'vector' || result.type === 'matrix') yield* writeSeries(answer, result, limit)
  else answer.text(JSON.stringify(toPrometheusResult(result, null).result))
  if (notes.stats !== null) answer.text(`,"stats":${JSON.stringify(notes.stats)}`)
  answer.text('}')
  if (notes.warnings.length > 0) answer.text(`,"warnings":${JSON.stringify(notes.warnings)}`)
  if (notes.infos.length > 0) answer.text(`,"infos":${JSON.stringify(notes.infos)}`)
  if (notes.plan !== null) answer.text(`,"plan":${JSON.stringify(notes.plan)}`)
  answer.text('}')
}

function* writeSeries(
  answer: AnswerBytes,
  result: Extract<QueryResult, { readonly type: 'vector' | 'matrix' }>,
  limit: number | null,
): Generator<void> {
  answer.text('[')
  const end = limit ?? Number.POSITIVE_INFINITY
  if (result.type === 'vector') {
    for (const [index, sample] of result.vector.entries()) {
      if (index >= end) break
      answer.text(`${index > 0 ? ',' : ''}${vectorText(sample)}`)
      yield
    }
  } else {
    for (const [index, series] of result.matrix.entries()) {
      if (index >= end) break
      if (index > 0) answer.text(',')
      yield* writeMatrix(answer, series)
    }
  }
  answer.text(']')
}

function vectorText(sample: VectorSample): string {
  if (sample.histogram !== undefined) {
    const one: QueryResult = { type: 'vector', vector: [sample], warnings: [], infos: [] }
    return onlyElement(one)
  }
  return `{"metric":${metricText(sample.labels)},"value":[${timeText(sample.timestampMs)},"${formatFloat(sample.value)}"]}`
}

function* writeMatrix(answer: AnswerBytes, series: MatrixSeries): Generator<void> {
  const { labels, timestamps, values, histograms } = series
  if (histograms != null) {
    answer.text(onlyElement({ type: 'matrix', matrix: [series], warnings: [], infos: [] }))
    yield
    return
  }
  answer.text(`{"metric":${metricText(labels)},"values":[`)
  for (let i = 0; i < timestamps.length; yield) i = answer.points(timestamps, values, i)
  answer.text(']}')
  yield
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
