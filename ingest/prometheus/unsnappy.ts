import { uncompressSync } from 'snappy'
import { AppError, errorMessage } from '../../runtime/errors.ts'

/**
 * Decompresses a message in Snappy's block format, as remote write has it. The length that the block declares at its head is checked against
 * `maxBytes` before anything is allocated. Throws AppError MESSAGE_TOO_LARGE or MALFORMED_MESSAGE.
 */
export function unsnappy(body: Uint8Array, maxBytes: number): Uint8Array {
  const length = declaredLength(body)
  if (length > maxBytes) {
    throw new AppError(
      'MESSAGE_TOO_LARGE',
      `Cannot take the message: it is larger than ${maxBytes} bytes when decompressed`,
    )
  }
  try {
    const bytes = uncompressSync(body, { asBuffer: true })
    if (typeof bytes === 'string') throw new TypeError('text came out of it')
    return bytes
  } catch (error) {
    throw malformed(errorMessage(error), error)
  }
}

/** The length that a block declares: a varint of at most 32 bits. Throws AppError MALFORMED_MESSAGE. */
export function declaredLength(body: Uint8Array): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = body[index]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) {
      if (length > 0xffffffff) break
      return length
    }
  }
  throw malformed('it does not begin with the length of a Snappy block')
}

function malformed(state: string, cause?: unknown): AppError {
  return new AppError('MALFORMED_MESSAGE', `Cannot decompress the snappy message: ${state}`, { cause })
}
