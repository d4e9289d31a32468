/** Where the parts of one span stand in a message's bytes. */
export interface SpanOffsets {
  readonly traceId: number
  readonly spanId: number
  readonly parentId: number
  readonly start: number
  readonly end: number
  readonly requestId: number
  readonly requestSize: number
  readonly responseSize: number
}

/** An encoded export whose parts can be overwritten. */
export interface EncodedExport {
  readonly bytes: Buffer
  readonly spans: readonly SpanOffsets[]
  /** Writes 32 bits of an id as the form does. `word`: which of the id's. */
  writeIdWord(at: number, word: number, value: number): void
  /** Writes epoch nanoseconds: `base` and `offset` (below 2^32) before it. */
  writeTime(at: number, base: bigint, offset: number): void
}

/** Writes eight lower-case hex digits. */
export function writeHex(bytes: Buffer, at: number, value: number): void {
  for (let index = 0; index < 8; index++) {
    const digit = (value >>> (28 - index * 4)) & 15
    bytes[at + index] = digit < 10 ? 48 + digit : 87 + digit
  }
}

/** Writes a number of exactly `digits` digits. */
export function writeDigits(bytes: Buffer, at: number, value: number, digits: number): void {
  for (let index = digits - 1; index >= 0; index--) {
    bytes[at + index] = 48 + (value % 10)
    value = Math.floor(value / 10)
  }
}
