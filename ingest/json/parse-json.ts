import { AppError, errorMessage } from '../../runtime/errors.ts'
import { parseJsonInteger } from './json-integer.ts'

/** How deep objects and arrays may stand in each other: room for an attribute value nested as deep as protobuf may have it. */
export const MAX_JSON_DEPTH = 320

/**
 * A number that a double may not hold: sixteen digits or more, or an exponent. Digits behind a point alone are a
 * double's own; digits inside strings need no care, but a false alarm there only costs time.
 */
const RISKY_NUMBER = /(?:^|[\s:,[])-?(?:\d{16}|\d+(?:\.\d+)?[eE])/

/** An object or array costs up to sixty bytes of memory, however short its text is; those of real messages take thirty and more. */
const MIN_BYTES_PER_OBJECT = 12
const ALWAYS_ALLOWED_OBJECTS = 100_000

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Parses JSON text (UTF-8; a byte order mark is skipped, invalid bytes read as U+FFFD) without losing a digit:
 * an integer beyond 2^53 comes back as a `bigint`.
 * Throws AppError MALFORMED_MESSAGE when it is not JSON, nested deeper than {@link MAX_JSON_DEPTH}, or made of so many empty
 * objects that it would take many times its size.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  assertShallow(buffer)
  const hasMark = buffer.length >= 3 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf
  const text = buffer.toString('utf8', hasMark ? 3 : 0)
  try {
    return RISKY_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
  } catch (error) {
    throw new AppError('MALFORMED_MESSAGE', `Cannot read the OTLP/JSON message: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)) return value
  return (context?.source === undefined ? undefined : parseJsonInteger(context.source)) ?? value
}

/** Looks at brackets before anything is allocated: a megabyte of `[` must cost nothing. */
function assertShallow(buffer: Buffer): void {
  let depth = 0
  let objects = 0
  const maxObjects = Math.max(ALWAYS_ALLOWED_OBJECTS, buffer.length / MIN_BYTES_PER_OBJECT)
  for (let at = 0; at < buffer.length; at++) {
    const byte = buffer[at] as number
    if (byte === QUOTE) {
      at = endOfString(buffer, at + 1)
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_JSON_DEPTH) {
        throw new AppError(
          'MALFORMED_MESSAGE',
          `Cannot read the OTLP/JSON message: it is nested deeper than ${MAX_JSON_DEPTH} levels`,
        )
      }
      if (++objects > maxObjects) {
        throw new AppError(
          'MALFORMED_MESSAGE',
          `Cannot read the OTLP/JSON message: it has more than ${Math.floor(maxObjects)} objects and lists, too many for its size`,
        )
      }
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--
    }
  }
}

/** The position of the quote that ends a string, or the end of the text. */
function endOfString(buffer: Buffer, start: number): number {
  for (let at = start; at < buffer.length; at++) {
    const byte = buffer[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  return buffer.length
}
