import { ByteBuffer } from './byte-buffer.ts'
import type { Column } from './column.ts'

const KEEP_BYTES = 8 << 20

/** Values of one width in bytes, little-endian as Native has them: numbers, FixedString, DateTime64, Enum8, Bool. */
export class FixedColumn implements Column {
  readonly type: string
  readonly width: number
  readonly #data: ByteBuffer
  #marked = 0

  constructor(type: string, width: number) {
    this.type = type
    this.width = width
    this.#data = new ByteBuffer(width * 1024)
  }

  get rows(): number {
    return this.#data.length / this.width
  }

  /** Appends one byte (width 1). */
  pushUint8(value: number): void {
    this.#data.reserve(1)
    this.#data.bytes[this.#data.length++] = value
  }

  /** Appends the low 16 bits (width 2), signed or not. */
  pushUint16(value: number): void {
    this.#data.reserve(2)
    const { bytes } = this.#data
    bytes[this.#data.length++] = value
    bytes[this.#data.length++] = value >>> 8
  }

  /** Appends the low 32 bits (width 4), signed or not. */
  pushUint32(value: number): void {
    this.#data.reserve(4)
    const { bytes } = this.#data
    let at = this.#data.length
    bytes[at++] = value
    bytes[at++] = value >>> 8
    bytes[at++] = value >>> 16
    bytes[at++] = value >>> 24
    this.#data.length = at
  }

  /** Appends 64 bits given as two halves (width 8). */
  pushUint64(low: number, high: number): void {
    this.pushUint32(low)
    this.pushUint32(high)
  }

  /** Appends `width` bytes from `source`. */
  pushFrom(source: Uint8Array, start: number): void {
    this.#data.pushBytes(source, start, start + this.width)
  }

  /** Appends a value of zero bytes. */
  pushZero(): void {
    this.#data.reserve(this.width)
    this.#data.bytes.fill(0, this.#data.length, this.#data.length + this.width)
    this.#data.length += this.width
  }

  mark(): void {
    this.#marked = this.#data.length
  }

  rollback(): void {
    this.#data.length = this.#marked
  }

  reset(): void {
    this.#data.reset(KEEP_BYTES)
  }

  byteLength(): number {
    return this.#data.length
  }

  writeTo(target: Buffer, offset: number): number {
    target.set(this.#data.bytes.subarray(0, this.#data.length), offset)
    return offset + this.#data.length
  }
}
