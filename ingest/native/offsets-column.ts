import type { Column } from './column.ts'

/** The ends of the rows of an Array or Map, as UInt64 counted from the block's start. */
export class OffsetsColumn implements Column {
  readonly type = 'UInt64'
  rows = 0
  #ends = new Uint32Array(1024)
  #marked = 0

  /** The end of the last row: how many elements there are so far. */
  get last(): number {
    return this.rows === 0 ? 0 : (this.#ends[this.rows - 1] as number)
  }

  /** Appends the end of a row. */
  push(end: number): void {
    if (this.rows === this.#ends.length) {
      const grown = new Uint32Array(this.rows * 2)
      grown.set(this.#ends)
      this.#ends = grown
    }
    this.#ends[this.rows++] = end
  }

  mark(): void {
    this.#marked = this.rows
  }

  rollback(): void {
    this.rows = this.#marked
  }

  reset(): void {
    this.rows = 0
  }

  byteLength(): number {
    return this.rows * 8
  }

  writeTo(target: Buffer, offset: number): number {
    let at = offset
    for (let row = 0; row < this.rows; row++) {
      const end = this.#ends[row] as number
      target[at] = end
      target[at + 1] = end >>> 8
      target[at + 2] = end >>> 16
      target[at + 3] = end >>> 24
      target[at + 4] = 0
      target[at + 5] = 0
      target[at + 6] = 0
      target[at + 7] = 0
      at += 8
    }
    return at
  }
}
