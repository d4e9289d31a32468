/** Bytes that grow at the end. `bytes` is replaced when it grows: never keep it across a write. */
export class ByteBuffer {
  bytes: Uint8Array
  length = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Makes room for `more` bytes after `length`. */
  reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    let capacity = this.bytes.length * 2
    while (capacity < needed) capacity *= 2
    const grown = new Uint8Array(capacity)
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  /** Empties it, and gives memory back after an outlier. */
  reset(keepAtMost: number): void {
    this.length = 0
    if (this.bytes.length > keepAtMost) this.bytes = new Uint8Array(keepAtMost)
  }

  /** Appends an unsigned LEB128 number below 2^31. */
  pushVarint(value: number): void {
    this.reserve(5)
    while (value > 0x7f) {
      this.bytes[this.length++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    this.bytes[this.length++] = value
  }

  /** Appends `source[start, end)`. */
  pushBytes(source: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.reserve(size)
    const { bytes } = this
    if (size > 96) {
      bytes.set(source.subarray(start, end), this.length)
      this.length += size
      return
    }
    let at = this.length
    for (let index = start; index < end; index++) bytes[at++] = source[index] as number
    this.length = at
  }

  /** Appends ASCII text. */
  pushAscii(text: string): void {
    const size = text.length
    this.reserve(size)
    const { bytes } = this
    let at = this.length
    for (let index = 0; index < size; index++) bytes[at++] = text.charCodeAt(index)
    this.length = at
  }
}
