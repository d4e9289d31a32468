import { FIXED64, LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

/** The most numbers one list may have: no sender makes histograms of more buckets. */
export const MAX_NUMBERS = 1 << 16

const ZERO = { low: 0, high: 0 }

/** 64-bit numbers of one repeated field, as halves, collected while a message is walked. */
export class NumberList {
  count = 0
  /** True when there were more than {@link MAX_NUMBERS}; the rest was skipped. */
  isTooLong = false
  lows = new Uint32Array(64)
  highs = new Uint32Array(64)

  /** Starts with none. */
  begin(): void {
    this.count = 0
    this.isTooLong = false
  }

  /** Takes the value of the last tag: one fixed64, or a packed run of them. Throws MALFORMED_MESSAGE. */
  addFixed64(reader: WireReader, end: number, field: number): void {
    if (reader.wireType === FIXED64) {
      reader.fixed64(end)
      this.#push(reader)
    } else if (reader.wireType === LENGTH_DELIMITED) {
      for (const to = reader.enter(end); reader.position < to; ) {
        reader.fixed64(to)
        this.#push(reader)
      }
    } else reader.skip(end, field)
  }

  /** Takes the value of the last tag: one varint, or a packed run of them. Throws MALFORMED_MESSAGE. */
  addVarint(reader: WireReader, end: number, field: number): void {
    if (reader.wireType === VARINT) {
      reader.varint64(end)
      this.#push(reader)
    } else if (reader.wireType === LENGTH_DELIMITED) {
      for (const to = reader.enter(end); reader.position < to; ) {
        reader.varint64(to)
        this.#push(reader)
      }
    } else reader.skip(end, field)
  }

  /** Adds a zero; returns its index, for {@link replace}. */
  pushZero(): number {
    this.#push(ZERO)
    return this.count - 1
  }

  /** Puts another value at an index that is there. */
  replace(index: number, value: { readonly low: number; readonly high: number }): void {
    this.lows[index] = value.low
    this.highs[index] = value.high
  }

  #push(value: { readonly low: number; readonly high: number }): void {
    if (this.count === MAX_NUMBERS) {
      this.isTooLong = true
      return
    }
    if (this.count === this.lows.length) {
      const lows = new Uint32Array(this.count * 2)
      lows.set(this.lows)
      this.lows = lows
      const highs = new Uint32Array(this.count * 2)
      highs.set(this.highs)
      this.highs = highs
    }
    this.lows[this.count] = value.low
    this.highs[this.count] = value.high
    this.count++
  }
}
