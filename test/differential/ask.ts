import { type Labels, labelsFrom } from '../../model/labels.ts'

/** A question for both. Times are epoch milliseconds. */
export type Question =
  | { readonly expr: string; readonly timeMs: number }
  | {
      readonly expr: string
      readonly startMs: number
      readonly endMs: number
      readonly stepMs: number
    }

/** One series of an answer: its points in order. */
export interface AnswerSeries {
  readonly labels: Labels
  /** Seconds, as the answer says them; NaN and infinities as numbers. */
  readonly points: readonly (readonly [timeSeconds: number, value: number])[]
  /** Points that are native histograms, as they came. */
  readonly histograms: readonly unknown[]
}

/** What one of them said. */
export type Answer =
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message: string }
  | { readonly kind: 'string'; readonly timeSeconds: number; readonly value: string }
  | {
      readonly kind: 'scalar' | 'vector' | 'matrix'
      /** A scalar is one series without labels. */
      readonly series: readonly AnswerSeries[]
      readonly notes: readonly string[]
    }

interface RawSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly values?: readonly (readonly [number, string])[]
  readonly histogram?: unknown
  readonly histograms?: readonly unknown[]
}

interface RawAnswer {
  readonly status: string
  readonly errorType?: string
  readonly error?: string
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

/** Asks the Prometheus API below `base` (`http://127.0.0.1:9090`, ours with `/prometheus`). Throws when no such API answers there. */
export async function ask(base: string, question: Question): Promise<Answer> {
  const form = new URLSearchParams({ query: question.expr })
  const seconds = (ms: number) => (ms / 1000).toFixed(3)
  if ('timeMs' in question) {
    form.set('time', seconds(question.timeMs))
  } else {
    form.set('start', seconds(question.startMs))
    form.set('end', seconds(question.endMs))
    form.set('step', seconds(question.stepMs))
  }
  const path = 'timeMs' in question ? 'query' : 'query_range'
  const response = await fetch(`${base}/api/v1/${path}`, { method: 'POST', body: form })
  const body = (await response.json()) as RawAnswer
  if (body.status !== 'success') {
    return { kind: 'error', status: response.status, type: body.errorType ?? '', message: body.error ?? '' }
  }
  return readData(body)
}

function readData({ data, warnings = [], infos = [] }: RawAnswer): Answer {
  const notes = [...warnings, ...infos]
  switch (data?.resultType) {
    case 'string': {
      const [timeSeconds, value] = data.result as [number, string]
      return { kind: 'string', timeSeconds, value }
    }
    case 'scalar': {
      const points = [point(data.result as [number, string])]
      return { kind: 'scalar', series: [{ labels: [], points, histograms: [] }], notes }
    }
    case 'vector':
    case 'matrix':
      return { kind: data.resultType, series: (data.result as RawSeries[]).map(readSeries), notes }
    default:
      throw new Error(`Cannot read the answer: its type is ${data?.resultType}`)
  }
}

function readSeries(raw: RawSeries): AnswerSeries {
  const values = raw.values ?? (raw.value === undefined ? [] : [raw.value])
  const histograms = raw.histograms ?? (raw.histogram === undefined ? [] : [raw.histogram])
  return { labels: labelsFrom(Object.entries(raw.metric)), points: values.map(point), histograms }
}

function point([time, text]: readonly [number, string]): readonly [number, number] {
  const value =
    text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
  return [time, value]
}
