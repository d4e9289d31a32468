import { isUtf8 } from 'node:buffer'
import { AppError } from '../../runtime/errors.ts'
import { isAsciiRange } from '../native/utf8.ts'
import { MAX_NUMBERS } from '../otlp/number-list.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT, WireReader } from '../otlp/wire-reader.ts'
import { unZigZag, unZigZag64 } from '../otlp/zig-zag.ts'
import {
  type ClientBucket,
  type ClientExemplar,
  type ClientFamily,
  type ClientHistogram,
  type ClientLabel,
  type ClientMetric,
  type ClientSide,
  type ClientSummary,
  emptyMetric,
  FAMILY_TYPES,
} from './client-metric.ts'

const halves = new Uint32Array(2)
const double = new Float64Array(halves.buffer)

/**
 * Reads the messages of Prometheus' protobuf format (`io.prometheus.client`) out of a page. What is said twice is taken as protobuf has it: the
 * last value counts, messages are merged. Every method throws MALFORMED_MESSAGE when bytes end early, a field has another wire type than its own,
 * or names and label values are not UTF-8.
 */
export class ClientMetricReader {
  readonly #reader = new WireReader()
  readonly #page: Buffer

  constructor(page: Buffer) {
    this.#page = page
    this.#reader.begin(page)
  }

  /** The next family of the page; null at its end. Its metrics are left for {@link metrics}. */
  family(): ClientFamily | null {
    const reader = this.#reader
    if (reader.position === this.#page.length) return null
    const end = reader.enter(this.#page.length)
    const start = reader.position
    const family: ClientFamily = { name: '', help: '', unit: '', type: 'counter', start, end, metricCount: 0 }
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1) family.name = this.#text(end, 'the name of a family')
      else if (field === 2) family.help = this.#text(end, 'a help text')
      else if (field === 3) {
        reader.expect(VARINT, 'the type of a family')
        const type = reader.varint32(end)
        family.type = FAMILY_TYPES[type] ?? fail(`${type} is not the type of a family`)
      } else if (field === 4) {
        reader.position = this.#enter(end, 'a metric')
        family.metricCount += 1
      } else if (field === 5) family.unit = this.#text(end, 'a unit')
      else reader.skip(end, field)
    }
    return family
  }

  /** The metrics of the family that was read last, one after the other. Take all of them before the next family. */
  *metrics({ start, end }: ClientFamily): Generator<ClientMetric, void, undefined> {
    const reader = this.#reader
    reader.position = start
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 4) yield this.#metric(this.#enter(end, 'a metric'))
      else reader.skip(end, field)
    }
  }

  #metric(end: number): ClientMetric {
    const reader = this.#reader
    const metric = emptyMetric()
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1) push(metric.labels, this.#label(this.#enter(end, 'a label'), true))
      else if (field === 2) metric.gauge = this.#value(this.#enter(end, 'a gauge'), metric.gauge)
      else if (field === 3) this.#counter(this.#enter(end, 'a counter'), metric)
      else if (field === 4) this.#summary(this.#enter(end, 'a summary'), metric)
      else if (field === 5) metric.untyped = this.#value(this.#enter(end, 'an untyped'), metric.untyped)
      else if (field === 6) metric.timestampMs = this.#integer(end, 'a timestamp')
      else if (field === 7) this.#histogram(this.#enter(end, 'a histogram'), metric)
      else reader.skip(end, field)
    }
    return metric
  }

  #value(end: number, before: number): number {
    let value = before
    this.#each(end, (field) => {
      if (field !== 1) return false
      value = this.#double(end, 'a value')
      return true
    })
    return value
  }

  #counter(end: number, metric: ClientMetric): void {
    this.#each(end, (field) => {
      if (field === 1) metric.counter = this.#double(end, 'a value')
      else if (field === 2) metric.exemplar = this.#exemplar(this.#enter(end, 'an exemplar'), metric.exemplar)
      else if (field === 3) metric.startMs.counter = this.#time(this.#enter(end, 'a start'))
      else return false
      return true
    })
  }

  #summary(end: number, metric: ClientMetric): void {
    const summary: ClientSummary = metric.summary
    this.#each(end, (field) => {
      if (field === 1) summary.count = this.#unsigned(end, 'a count')
      else if (field === 2) summary.sum = this.#double(end, 'a sum')
      else if (field === 3) {
        const to = this.#enter(end, 'a quantile')
        const quantile = { quantile: 0, value: 0 }
        this.#each(to, (inner) => {
          if (inner === 1) quantile.quantile = this.#double(to, 'a quantile')
          else if (inner === 2) quantile.value = this.#double(to, 'a value')
          else return false
          return true
        })
        push(summary.quantiles, quantile)
      } else if (field === 4) metric.startMs.summary = this.#time(this.#enter(end, 'a start'))
      else return false
      return true
    })
  }

  #histogram(end: number, metric: ClientMetric): void {
    const histogram: ClientHistogram = metric.histogram
    this.#each(end, (field) => {
      if (field === 1) histogram.count = this.#unsigned(end, 'a count')
      else if (field === 2) histogram.sum = this.#double(end, 'a sum')
      else if (field === 3) push(histogram.buckets, this.#bucket(this.#enter(end, 'a bucket')))
      else if (field === 4) histogram.countFloat = this.#double(end, 'a count')
      else if (field === 5) histogram.schema = this.#zigZag32(end, 'a schema')
      else if (field === 6) histogram.zeroThreshold = this.#double(end, 'a zero threshold')
      else if (field === 7) histogram.zeroCount = this.#unsigned(end, 'a zero count')
      else if (field === 8) histogram.zeroCountFloat = this.#double(end, 'a zero count')
      else if (field <= 11 && field >= 9) this.#side(field - 9, end, histogram.negative)
      else if (field <= 14 && field >= 12) this.#side(field - 12, end, histogram.positive)
      else if (field === 15) metric.startMs.histogram = this.#time(this.#enter(end, 'a start'))
      else if (field === 16) {
        push(histogram.exemplars, this.#exemplar(this.#enter(end, 'an exemplar'), null))
      } else return false
      return true
    })
  }

  #side(part: number, end: number, side: ClientSide): void {
    if (part === 0) {
      const to = this.#enter(end, 'a span')
      let offset = 0
      let length = 0
      this.#each(to, (field) => {
        if (field === 1) offset = this.#zigZag32(to, 'an offset')
        else if (field === 2) {
          this.#reader.expect(VARINT, 'a length')
          length = this.#reader.varint32(to)
        } else return false
        return true
      })
      push(side.spans, { offset, length })
    } else if (part === 1) this.#numbers(end, VARINT, side.deltas)
    else this.#numbers(end, FIXED64, side.counts)
  }

  /** One number, or a packed run of them. */
  #numbers(end: number, wireType: typeof VARINT | typeof FIXED64, list: number[]): void {
    const reader = this.#reader
    const one = (to: number): number => {
      if (wireType === FIXED64) reader.fixed64(to)
      else reader.varint64(to)
      return wireType === FIXED64 ? this.#lastDouble() : unZigZag64(reader.low, reader.high)
    }
    if (reader.wireType === wireType) push(list, one(end))
    else
      for (const to = this.#enter(end, 'the buckets of a side'); reader.position < to; ) push(list, one(to))
  }

  #bucket(end: number): ClientBucket {
    const bucket: ClientBucket = { count: 0, countFloat: 0, upperBound: 0, exemplar: null }
    this.#each(end, (field) => {
      if (field === 1) bucket.count = this.#unsigned(end, 'a count')
      else if (field === 2) bucket.upperBound = this.#double(end, 'a bound')
      else if (field === 3) bucket.exemplar = this.#exemplar(this.#enter(end, 'an exemplar'), bucket.exemplar)
      else if (field === 4) bucket.countFloat = this.#double(end, 'a count')
      else return false
      return true
    })
    return bucket
  }

  #exemplar(end: number, before: ClientExemplar | null): ClientExemplar {
    const exemplar = before ?? { labels: [], value: 0, timestampMs: null }
    this.#each(end, (field) => {
      if (field === 1) push(exemplar.labels, this.#label(this.#enter(end, 'a label'), false))
      else if (field === 2) exemplar.value = this.#double(end, 'a value')
      else if (field === 3) exemplar.timestampMs = this.#time(this.#enter(end, 'a timestamp'))
      else return false
      return true
    })
    return exemplar
  }

  /** `isStrict`: text that is not UTF-8 fails the page, else it is repaired: an exemplar is not worth a page. */
  #label(end: number, isStrict: boolean): ClientLabel {
    let name = ''
    let value = ''
    this.#each(end, (field) => {
      if (field === 1) name = this.#text(end, 'the name of a label', isStrict)
      else if (field === 2) value = this.#text(end, 'the value of a label', isStrict)
      else return false
      return true
    })
    return [name, value]
  }

  /** `google.protobuf.Timestamp` in whole milliseconds. */
  #time(end: number): number {
    let seconds = 0
    let nanos = 0
    this.#each(end, (field) => {
      if (field === 1) seconds = this.#integer(end, 'seconds')
      else if (field === 2) nanos = this.#integer(end, 'nanoseconds')
      else return false
      return true
    })
    return seconds * 1000 + Math.trunc(nanos / 1e6)
  }

  /** Reads the fields of a message; `take` returns false for those it does not know. */
  #each(end: number, take: (field: number) => boolean): void {
    const reader = this.#reader
    while (reader.position < end) {
      const field = reader.tag(end)
      if (!take(field)) reader.skip(end, field)
    }
  }

  #enter(end: number, what: string): number {
    this.#reader.expect(LENGTH_DELIMITED, what)
    return this.#reader.enter(end)
  }

  #double(end: number, what: string): number {
    this.#reader.expect(FIXED64, what)
    this.#reader.fixed64(end)
    return this.#lastDouble()
  }

  #lastDouble(): number {
    halves[0] = this.#reader.low
    halves[1] = this.#reader.high
    return double[0] as number
  }

  #unsigned(end: number, what: string): number {
    this.#reader.expect(VARINT, what)
    this.#reader.varint64(end)
    return this.#reader.high * 0x100000000 + this.#reader.low
  }

  #integer(end: number, what: string): number {
    this.#reader.expect(VARINT, what)
    this.#reader.varint64(end)
    return (this.#reader.high | 0) * 0x100000000 + this.#reader.low
  }

  #zigZag32(end: number, what: string): number {
    this.#reader.expect(VARINT, what)
    return unZigZag(this.#reader.varint32(end))
  }

  #text(end: number, what: string, isStrict = true): string {
    const to = this.#enter(end, what)
    const from = this.#reader.position
    this.#reader.position = to
    if (isAsciiRange(this.#page, from, to)) return this.#page.toString('latin1', from, to)
    if (isStrict && !isUtf8(this.#page.subarray(from, to))) fail(`${what} is not valid UTF-8`)
    return this.#page.toString('utf8', from, to)
  }
}

/** Lists are bounded: a part may be two bytes on the page, and is far more here. */
function push<T>(list: T[], one: T): void {
  if (list.length === MAX_NUMBERS) fail(`a metric has more than ${MAX_NUMBERS} of its parts`)
  list.push(one)
}

function fail(state: string): never {
  throw new AppError('MALFORMED_MESSAGE', `Cannot read the metrics: ${state}`)
}
