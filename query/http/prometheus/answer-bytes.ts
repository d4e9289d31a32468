import { writeFloat, writeInteger } from '../../promql/write-float.ts'

/** An answer as it is written: bytes that are taken away piece by piece. */
export interface AnswerBytes {
  /** Appends a text as UTF-8. */
  text(text: string): void
  /** Appends points of a series (`[1435781430.781,"1"]`, commas between them) from one on, until there are none or a piece is full; the next one. */
  points(timestamps: Float64Array, values: Float64Array, from: number): number
  /** Whether there is enough for a piece. */
  isFull(): boolean
  /** What was written since the last time; it may be empty. */
  take(): Buffer
}

/** Memory of one piece … */
const PIECE_BYTES = 1 << 16
/** … and of this the part in which nothing new begins: the next point has its place there, and nearly every set of labels. */
const MARGIN_BYTES = 4096
const FULL_BYTES = PIECE_BYTES - MARGIN_BYTES
const COMMA = 44
const QUOTE = 34
const OPEN = 91
const CLOSE = 93

/**
 * Makes an empty answer. Its pieces are written over when `areSent` says that nobody needs those any more that were taken: V8 would leave dozens of megabytes of
 * them lying about until it collects.
 */
export function createAnswerBytes(areSent: () => boolean): AnswerBytes {
  const taken: Buffer[] = []
  const free: Buffer[] = []
  let bytes: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let length = 0

  return {
    text(text) {
      const room = 3 * text.length
      if (length + room > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(length + room)
        bytes.copy(larger, 0, 0, length)
        bytes = larger
      }
      length += bytes.write(text, length)
    },
    points(timestamps, values, from) {
      let at = length
      let i = from
      for (; i < timestamps.length && at < FULL_BYTES; i += 1) {
        if (i > 0) bytes[at++] = COMMA
        bytes[at++] = OPEN
        at = writeTime(bytes, at, timestamps[i] as number)
        bytes[at++] = COMMA
        bytes[at++] = QUOTE
        at = writeFloat(bytes, at, values[i] as number)
        bytes[at++] = QUOTE
        bytes[at++] = CLOSE
      }
      length = at
      return i
    },
    isFull: () => length >= FULL_BYTES,
    take() {
      const piece = bytes.subarray(0, length)
      if (areSent()) free.push(...taken.splice(0))
      if (bytes.length === PIECE_BYTES) taken.push(bytes)
      bytes = free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
      length = 0
      return piece
    },
  }
}

/** Seconds, with three decimals where there are milliseconds. */
function writeTime(bytes: Buffer, at: number, ms: number): number {
  const seconds = Math.floor(ms / 1000)
  if (seconds >= 0 && seconds * 1000 === ms) return writeInteger(bytes, at, seconds)
  return at + bytes.write(timeText(ms), at, 'latin1')
}

/** Seconds with three decimals, or none where there are no milliseconds. */
export function timeText(ms: number): string {
  const whole = Math.trunc(Math.abs(ms) / 1000)
  const rest = Math.abs(ms) - whole * 1000
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`
  return `${ms < 0 ? '-' : ''}${whole}${fraction}`
}
