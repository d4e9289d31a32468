import { ByteBuffer } from './byte-buffer.ts'
import type { Column } from './column.ts'
import { repairUtf8 } from './utf8.ts'

const KEEP_BYTES = 64 << 20

/** Strings, each as its length (LEB128) and its bytes. */
export class StringColumn implements Column {
  readonly type = 'String'
  rows = 0
  #lastStart = 0
  /** The bytes as Native has them. */
  readonly data = new ByteBuffer(1 << 16)
  #markedLength = 0
  #markedRows = 0

  /** Appends `''`. */
  pushEmpty(): void {
    this.#lastStart = this.data.length
    this.data.reserve(1)
    this.data.bytes[this.data.length++] = 0
    this.rows++
  }

  /** Appends `source[start, end)`; ill-formed UTF-8 is repaired. */
  pushUtf8(source: Uint8Array, start: number, end: number): void {
    const { data } = this
    const size = end - start
    data.pushVarint(size)
    data.reserve(size)
    const { bytes } = data
    const from = data.length
    let at = from
    let seen = 0
    for (let index = start; index < end; index++) {
      const byte = source[index] as number
      seen |= byte
      bytes[at++] = byte
    }
    data.length = at
    this.rows++
    if (seen < 0x80) return
    const repaired = repairUtf8(bytes, from, at)
    if (repaired === null) return
    data.length = from - varintSize(size)
    data.pushVarint(repaired.length)
    data.pushBytes(repaired, 0, repaired.length)
  }

  /** Appends ASCII text. */
  pushAscii(text: string): void {
    this.data.pushVarint(text.length)
    this.data.pushAscii(text)
    this.rows++
  }

  /** Appends any text. It can be taken back with {@link pop}. */
  pushText(text: string): void {
    const bytes = Buffer.from(text, 'utf8')
    this.#lastStart = this.data.length
    this.pushRaw(bytes, 0, bytes.length)
  }

  /** Takes back the last value, which must have been appended by {@link pushText} or {@link pushEmpty}. */
  pop(): void {
    this.data.length = this.#lastStart
    this.rows--
  }

  /** Appends bytes that are known to be well formed. */
  pushRaw(source: Uint8Array, start: number, end: number): void {
    this.data.pushVarint(end - start)
    this.data.pushBytes(source, start, end)
    this.rows++
  }

  /** Appends a non-negative integer below 2^31 in decimal. */
  pushDecimal(value: number): void {
    let digits = 1
    for (let limit = 10; digits < 10 && value >= limit; limit *= 10) digits++
    const { data } = this
    data.reserve(digits + 1)
    data.bytes[data.length++] = digits
    let at = data.length + digits
    data.length = at
    do {
      const rest = (value / 10) | 0
      data.bytes[--at] = 48 + value - rest * 10
      value = rest
    } while (value > 0)
    this.rows++
  }

  mark(): void {
    this.#markedLength = this.data.length
    this.#markedRows = this.rows
  }

  rollback(): void {
    this.data.length = this.#markedLength
    this.rows = this.#markedRows
  }

  reset(): void {
    this.data.reset(KEEP_BYTES)
    this.rows = 0
  }

  byteLength(): number {
    return this.data.length
  }

  writeTo(target: Buffer, offset: number): number {
    target.set(this.data.bytes.subarray(0, this.data.length), offset)
    return offset + this.data.length
  }
}

function varintSize(value: number): number {
  let size = 1
  while (value > 0x7f) {
    value >>>= 7
    size++
  }
  return size
}
