import { isUtf8 } from 'node:buffer'
import { type Labels, labelsFrom, labelsText, METRIC_NAME } from '../../model/labels.ts'

/** Why labels make no series: a reason to count, and a sentence for the sender. */
export interface LabelProblem {
  readonly reason: 'labels' | 'too_many_attributes' | 'series_limit'
  readonly detail: string
}

/** More labels than this make no series, as with OTLP's attributes. */
const MAX_LABELS = 1024
const MAX_SHOWN = 200

/** The labels of one new series or one exemplar, as text: collected while a message is walked. */
export class LabelList {
  readonly #pairs: [string, string][] = []
  #isBroken = false
  #overflow = 0

  /** Starts with no labels. */
  begin(): void {
    this.#pairs.length = 0
    this.#isBroken = false
    this.#overflow = 0
  }

  /** Adds a label whose name and value stand in ranges of `bytes`. */
  add(bytes: Uint8Array, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    if (this.#pairs.length === MAX_LABELS) {
      this.#overflow++
      return
    }
    this.#pairs.push([this.#text(bytes, nameStart, nameEnd), this.#text(bytes, valueStart, valueEnd)])
  }

  /** The labels in order, without empty values; of a repeated name the last. */
  labels(): Labels {
    return labelsFrom(this.#pairs)
  }

  /** Why they are no series'; null when they are. Names may be any UTF-8 text, in any order. */
  problem(): LabelProblem | null {
    const pairs = this.#pairs
    if (this.#overflow > 0) {
      const count = pairs.length + this.#overflow
      return {
        reason: 'too_many_attributes',
        detail: `a series has ${count} labels, more than ${MAX_LABELS}`,
      }
    }
    const state = this.#state()
    if (state === null) return null
    const shown = labelsText(pairs.flat())
    return {
      reason: 'labels',
      detail: `${shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown} ${state}`,
    }
  }

  #state(): string | null {
    const pairs = this.#pairs
    if (this.#isBroken) return 'is not valid UTF-8'
    const names = new Set<string>()
    for (const [name] of pairs) {
      if (name === '') return 'has a label without a name'
      if (names.has(name)) return `has the label ${JSON.stringify(name.slice(0, MAX_SHOWN))} more than once`
      names.add(name)
    }
    return pairs.some(([name, value]) => name === METRIC_NAME && value !== '') ? null : 'has no metric name'
  }

  #text(bytes: Uint8Array, start: number, end: number): string {
    const range = bytes.subarray(start, end)
    if (!isUtf8(range)) this.#isBroken = true
    return Buffer.from(range.buffer, range.byteOffset, range.length).toString('utf8')
  }
}
