import { CUSTOM_BUCKETS_SCHEMA } from '../../model/float-histogram.ts'
import { coarserSide, readSide, spansOf } from '../../model/histogram/bucket-side.ts'
import type { ArrayColumn } from '../native/array-column.ts'
import { MAX_NUMBERS, NumberList } from '../otlp/number-list.ts'
import { FIXED64, LENGTH_DELIMITED, VARINT, type WireReader } from '../otlp/wire-reader.ts'
import { unZigZag, unZigZag64 } from '../otlp/zig-zag.ts'
import type { SampleColumns } from './sample-blocks.ts'

/** Buckets of one sign while a message is walked: spans, and differences of integers or counts. */
interface Side {
  readonly offsets: number[]
  readonly lengths: number[]
  readonly deltas: NumberList
  readonly counts: NumberList
  /** The count of each bucket, from the first place on; see {@link Side.summed}. */
  totals: Float64Array
  /** How many buckets have their count in `totals`; -1: they have not been summed up. */
  summed: number
}

/** A sum of exactly these bits says that the series has ended. */
export const STALE_LOW = 2
/** The upper half of {@link STALE_LOW}. */
export const STALE_HIGH = 0x7ff00000

const MIN_SCHEMA = -4
const MAX_SCHEMA = 8
/** Schemas above {@link MAX_SCHEMA} up to here are known and made coarser; nothing has such buckets here. */
const MAX_KNOWN_SCHEMA = 52
const LAST_HINT = 3

const scratch = new Float64Array(1)
const scratchHalves = new Uint32Array(scratch.buffer)

/**
 * Walks one `Histogram` message of remote write (its fields are the same in 1.0 and 2.0), checks it as Prometheus does, and writes
 * it as counts, not differences. As Prometheus does, schemas 9 to 52 are made 8 first.
 */
export class HistogramReader {
  timeLow = 0
  timeHigh = 0
  /** When the counter began to count, epoch milliseconds; 0: not sent. */
  startMs = 0
  sumLow = 0
  sumHigh = 0
  #count = 0
  #zeroCount = 0
  #zeroThreshold = 0
  #schema = 0
  #hint = 0
  #isFloat = false
  #areSpansTooMany = false
  readonly #negative = createSide()
  readonly #positive = createSide()
  readonly #bounds = new NumberList()
  readonly #reader: WireReader

  constructor(reader: WireReader) {
    this.#reader = reader
  }

  /** Whether it only says that the series has ended. */
  get isStale(): boolean {
    return this.sumLow === STALE_LOW && this.sumHigh === STALE_HIGH
  }

  /** Takes the message from the reader's position to `end`. Throws MALFORMED_MESSAGE. */
  read(end: number): void {
    const reader = this.#reader
    this.#begin()
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType === FIXED64 && this.#takeDouble(field, end)) continue
      if (reader.wireType === VARINT && this.#takeInteger(field, end)) continue
      if (reader.wireType === LENGTH_DELIMITED && (field === 8 || field === 11)) {
        this.#takeSpan(field === 8 ? this.#negative : this.#positive, reader.enter(end))
      } else if (field === 9) this.#negative.deltas.addVarint(reader, end, field)
      else if (field === 10) this.#negative.counts.addFixed64(reader, end, field)
      else if (field === 12) this.#positive.deltas.addVarint(reader, end, field)
      else if (field === 13) this.#positive.counts.addFixed64(reader, end, field)
      else if (field === 16) this.#bounds.addFixed64(reader, end, field)
      else reader.skip(end, field)
    }
  }

  /** What is wrong with it, as the end of a sentence; null when nothing is. */
  problem(): string | null {
    if (this.isStale) return null
    const lists = [this.#negative, this.#positive].flatMap(({ deltas, counts }) => [deltas, counts])
    if (this.#areSpansTooMany || [...lists, this.#bounds].some(({ isTooLong }) => isTooLong)) {
      return `has more than ${MAX_NUMBERS} buckets`
    }
    const isCustom = this.#schema === CUSTOM_BUCKETS_SCHEMA
    if (!isCustom && (this.#schema < MIN_SCHEMA || this.#schema > MAX_KNOWN_SCHEMA)) {
      return `has the schema ${this.#schema}: expected ${MIN_SCHEMA} to ${MAX_KNOWN_SCHEMA} or ${CUSTOM_BUCKETS_SCHEMA}`
    }
    const problem =
      (isCustom ? this.#customProblem() : this.#exponentialProblem()) ??
      this.#spansProblem(this.#negative, 'negative') ??
      this.#spansProblem(this.#positive, 'positive')
    if (problem !== null) return problem
    this.#limitSchema()
    return this.#countsProblem(this.#negative) ?? this.#countsProblem(this.#positive) ?? this.#countProblem()
  }

  /** Writes all columns but those that every sample has. Call after {@link problem} returned null. */
  write(columns: SampleColumns['histograms']): void {
    columns.reset_hint.pushUint8(this.#hint)
    columns.schema.pushUint8(this.#schema)
    pushDouble(columns.zero_threshold, this.#zeroThreshold)
    pushDouble(columns.zero_count, this.#zeroCount)
    pushDouble(columns.count, this.#count)
    columns.sum.pushUint64(this.sumLow, this.sumHigh)
    this.#writeSide(
      this.#positive,
      columns.positive_offsets,
      columns.positive_lengths,
      columns.positive_counts,
    )
    this.#writeSide(
      this.#negative,
      columns.negative_offsets,
      columns.negative_lengths,
      columns.negative_counts,
    )
    pushHalves(columns.custom_values, this.#bounds)
  }

  #begin(): void {
    this.timeLow = this.timeHigh = this.startMs = this.sumLow = this.sumHigh = 0
    this.#count = this.#zeroCount = this.#zeroThreshold = this.#schema = this.#hint = 0
    this.#isFloat = this.#areSpansTooMany = false
    this.#bounds.begin()
    for (const side of [this.#negative, this.#positive]) {
      side.offsets.length = side.lengths.length = 0
      side.deltas.begin()
      side.counts.begin()
      side.summed = -1
    }
  }

  #takeDouble(field: number, end: number): boolean {
    if (field !== 2 && field !== 3 && field !== 5 && field !== 7) return false
    const reader = this.#reader
    reader.fixed64(end)
    if (field === 3) {
      this.sumLow = reader.low
      this.sumHigh = reader.high
      return true
    }
    const value = double(reader.low, reader.high)
    if (field === 2) {
      this.#count = value
      this.#isFloat = true
    } else if (field === 5) this.#zeroThreshold = value
    else this.#zeroCount = value
    return true
  }

  #takeInteger(field: number, end: number): boolean {
    const reader = this.#reader
    if (field === 4) this.#schema = unZigZag(reader.varint32(end))
    else if (field === 14) this.#hint = reader.varint32(end)
    else if (field === 1 || field === 6 || field === 15 || field === 17) {
      reader.varint64(end)
      const unsigned = reader.high * 0x100000000 + reader.low
      if (field === 1) {
        this.#count = unsigned
        this.#isFloat = false
      } else if (field === 6) this.#zeroCount = unsigned
      else if (field === 17) this.startMs = reader.high < 0x80000000 ? unsigned : 0
      else {
        this.timeLow = reader.low
        this.timeHigh = reader.high
      }
    } else return false
    if (this.#hint > LAST_HINT) this.#hint = 0
    return true
  }

  #takeSpan(side: Side, end: number): void {
    const reader = this.#reader
    let offset = 0
    let length = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1 && reader.wireType === VARINT) offset = unZigZag(reader.varint32(end))
      else if (field === 2 && reader.wireType === VARINT) length = reader.varint32(end)
      else reader.skip(end, field)
    }
    if (side.offsets.length === MAX_NUMBERS) this.#areSpansTooMany = true
    else {
      side.offsets.push(offset)
      side.lengths.push(length)
    }
  }

  #exponentialProblem(): string | null {
    if (this.#bounds.count > 0) return 'has custom bounds, which its schema has not'
    return this.#zeroThreshold >= 0 ? null : 'has a zero bucket of negative width'
  }

  #customProblem(): string | null {
    if (this.#zeroCount !== 0 || this.#zeroThreshold !== 0)
      return 'has a zero bucket, which custom bounds exclude'
    if (this.#negative.offsets.length > 0 || this.#buckets(this.#negative).count > 0) {
      return 'has negative buckets, which custom bounds exclude'
    }
    const { count, lows, highs } = this.#bounds
    let before = Number.NEGATIVE_INFINITY
    for (let index = 0; index < count; index++) {
      const bound = double(lows[index] as number, highs[index] as number)
      // Written so that NaN does not fit either.
      if (!(bound > before) || bound === Number.POSITIVE_INFINITY)
        return 'has custom bounds that do not rise, or are not finite'
      before = bound
    }
    const { offsets, lengths } = this.#positive
    const reached = offsets.reduce((sum, offset, index) => sum + offset + (lengths[index] as number), 0)
    if ((offsets[0] ?? 0) < 0) return 'has a bucket before its first custom bound'
    return reached > count + 1 ? 'has more buckets than custom bounds' : null
  }

  /** Makes a histogram of a finer schema one of {@link MAX_SCHEMA}. Its spans and buckets must match. */
  #limitSchema(): void {
    const shift = this.#schema - MAX_SCHEMA
    if (shift <= 0) return
    for (const side of [this.#negative, this.#positive]) {
      const spans = side.offsets.map((offset, index) => ({ offset, length: side.lengths[index] as number }))
      this.#sumUp(side)
      const coarser = coarserSide(readSide(spans, [...side.totals.subarray(0, side.summed)]), shift)
      side.totals.set(coarser.counts)
      side.summed = coarser.counts.length
      side.offsets.length = side.lengths.length = 0
      for (const { offset, length } of spansOf(coarser.indexes)) {
        side.offsets.push(offset)
        side.lengths.push(length)
      }
    }
    this.#schema = MAX_SCHEMA
  }

  #spansProblem(side: Side, sign: string): string | null {
    const { offsets, lengths } = side
    if (offsets.some((offset, index) => index > 0 && offset < 0)) return `has ${sign} spans that overlap`
    const buckets = this.#buckets(side).count
    const expected = lengths.reduce((sum, length) => sum + length, 0)
    return buckets === expected ? null : `has ${buckets} ${sign} buckets, and spans for ${expected}`
  }

  #countsProblem(side: Side): string | null {
    this.#sumUp(side)
    for (let index = 0; index < side.summed; index++) {
      if (!((side.totals[index] as number) >= 0)) return 'has a negative count of a bucket'
    }
    return null
  }

  /** Integers must add up; floats are not asked to, as they are rounded. */
  #countProblem(): string | null {
    if (!(this.#count >= 0) || !(this.#zeroCount >= 0)) return 'has a negative count'
    if (this.#isFloat) return null
    let sum = this.#zeroCount
    for (const side of [this.#negative, this.#positive]) {
      this.#sumUp(side)
      for (let index = 0; index < side.summed; index++) sum += side.totals[index] as number
    }
    // Observations that are NaN are counted and in no bucket.
    const isSumNan = Number.isNaN(double(this.sumLow, this.sumHigh))
    if (isSumNan ? sum <= this.#count : sum === this.#count) return null
    return `counts ${this.#count} observations, and ${sum} in its buckets`
  }

  #buckets(side: Side): NumberList {
    return this.#isFloat ? side.counts : side.deltas
  }

  /** Finds the counts of a side's buckets, once for each message. */
  #sumUp(side: Side): void {
    if (side.summed >= 0) return
    const { count, lows, highs } = this.#buckets(side)
    if (side.totals.length < count) side.totals = new Float64Array(2 * count)
    const { totals } = side
    let sum = 0
    for (let index = 0; index < count; index++) {
      const low = lows[index] as number
      const high = highs[index] as number
      if (this.#isFloat) totals[index] = double(low, high)
      else {
        sum += unZigZag64(low, high)
        totals[index] = sum
      }
    }
    side.summed = count
  }

  #writeSide(side: Side, offsets: ArrayColumn, lengths: ArrayColumn, counts: ArrayColumn): void {
    for (const offset of side.offsets) offsets.items.pushUint32(offset)
    offsets.endRow()
    for (const length of side.lengths) lengths.items.pushUint32(length)
    lengths.endRow()
    this.#sumUp(side)
    for (let index = 0; index < side.summed; index++) pushDouble(counts.items, side.totals[index] as number)
    counts.endRow()
  }
}

function createSide(): Side {
  return {
    offsets: [],
    lengths: [],
    deltas: new NumberList(),
    counts: new NumberList(),
    totals: new Float64Array(64),
    summed: -1,
  }
}

function pushHalves(column: ArrayColumn, list: NumberList): void {
  for (let index = 0; index < list.count; index++) {
    column.items.pushUint64(list.lows[index] as number, list.highs[index] as number)
  }
  column.endRow()
}

function pushDouble(column: { pushUint64(low: number, high: number): void }, value: number): void {
  scratch[0] = value
  column.pushUint64(scratchHalves[0] as number, scratchHalves[1] as number)
}

function double(low: number, high: number): number {
  scratchHalves[0] = low
  scratchHalves[1] = high
  return scratch[0] as number
}
