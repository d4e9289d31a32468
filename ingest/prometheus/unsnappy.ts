import { AppError } from '../../runtime/errors.ts'

/**
 * Decompresses a message in Snappy's block format, as remote write has it (github.com/google/snappy, `format_description.txt`). The length that the
 * block declares at its head is checked against `maxBytes` before anything is allocated. The answer is overwritten by the next call. Throws
 * AppError MESSAGE_TOO_LARGE or MALFORMED_MESSAGE.
 */
export type Unsnappy = (body: Uint8Array, maxBytes: number) => Uint8Array

const LITERAL = 0
const NEAR_COPY = 1
const COPY = 2
/** Lengths of literals from here on stand behind the tag. */
const LONG_LITERAL = 60
const FIRST_BYTES = 1 << 20
const KEEP_BYTES = 4 << 20

/** Makes a decompressor that keeps the memory it works in: new memory for every message costs more than the decompression. */
export function createUnsnappy(): Unsnappy {
  let kept = new Uint8Array(FIRST_BYTES)
  return (body, maxBytes) => {
    const head = readLength(body)
    if (head.length > maxBytes) {
      throw new AppError(
        'MESSAGE_TOO_LARGE',
        `Cannot take the message: it is larger than ${maxBytes} bytes when decompressed`,
      )
    }
    let target = kept
    if (head.length > kept.length) {
      target = new Uint8Array(Math.min(maxBytes, head.length * 2))
      if (target.length <= KEEP_BYTES) kept = target
    }
    decompress(body, head.end, target, head.length)
    return target.subarray(0, head.length)
  }
}

/** The declared length, a varint of at most 32 bits, and where it ends. */
function readLength(body: Uint8Array): { readonly length: number; readonly end: number } {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = body[index]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) {
      if (length > 0xffffffff) break
      return { length, end: index + 1 }
    }
  }
  throw malformed('it does not begin with the length of a Snappy block')
}

function decompress(source: Uint8Array, start: number, target: Uint8Array, length: number): void {
  const end = source.length
  let at = start
  let to = 0
  while (at < end) {
    const tag = source[at++] as number
    const kind = tag & 3
    if (kind === LITERAL) {
      let size = (tag >>> 2) + 1
      if (size > LONG_LITERAL) {
        const width = size - LONG_LITERAL
        if (at + width > end) throw malformed('it ends inside a literal')
        size = littleEndian(source, at, width) + 1
        at += width
      }
      if (size > end - at) throw malformed('it ends inside a literal')
      if (size > length - to) throw malformed('it is longer than it declares')
      for (const stop = at + size; at < stop; ) target[to++] = source[at++] as number
      continue
    }
    const width = kind === NEAR_COPY ? 1 : kind === COPY ? 2 : 4
    if (at + width > end) throw malformed('it ends inside a copy')
    const near = kind === NEAR_COPY
    const size = near ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const offset = littleEndian(source, at, width) + (near ? (tag >>> 5) << 8 : 0)
    at += width
    if (offset === 0 || offset > to) throw malformed('a copy begins before the message')
    if (size > length - to) throw malformed('it is longer than it declares')
    // Byte by byte: what is copied may overlap what it is copied to.
    for (const stop = to + size; to < stop; to++) target[to] = target[to - offset] as number
  }
  if (to !== length) throw malformed('it is shorter than it declares')
}

function littleEndian(source: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let index = 0; index < width; index++) value |= (source[at + index] as number) << (8 * index)
  return value >>> 0
}

function malformed(state: string): AppError {
  return new AppError('MALFORMED_MESSAGE', `Cannot decompress the snappy message: ${state}`)
}
