import {
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZstdOptions,
  zstdDecompressSync,
} from 'node:zlib'
import { AppError, errorMessage } from '../../runtime/errors.ts'

/** What `Content-Encoding` may say. */
export const CONTENT_ENCODINGS = ['identity', 'gzip', 'zstd', 'deflate'] as const

/** One of {@link CONTENT_ENCODINGS}. */
export type ContentEncoding = (typeof CONTENT_ENCODINGS)[number]

/** The decoder keeps a window of 8 MiB (2^23) at most, whatever a frame asks for: RFC 9659. */
const ZSTD_MAX_WINDOW_LOG = 23

const MIN_CHUNK_BYTES = 64 * 1024

/** Reads a `Content-Encoding` header (`x-gzip` is gzip); undefined when it is none of ours, or several. */
export function parseContentEncoding(header: string | undefined): ContentEncoding | undefined {
  const name = (header ?? '').trim().toLowerCase()
  if (name === '') return 'identity'
  if (name === 'x-gzip') return 'gzip'
  return CONTENT_ENCODINGS.find((encoding) => encoding === name)
}

/**
 * Decompresses a body, all members or frames of it. `deflate` may come with or without the zlib wrapper.
 * At most `maxBytes` are ever produced: a bomb is refused while inflating.
 * It works on the calling thread: handing pieces to the thread pool costs more than inflating a usual message,
 * and the pool is busy with queries.
 * Throws AppError MESSAGE_TOO_LARGE or MALFORMED_MESSAGE.
 */
export function inflate(body: Buffer, encoding: ContentEncoding, maxBytes: number): Buffer {
  if (encoding === 'identity' || body.length === 0) return body
  const options = { maxOutputLength: maxBytes, chunkSize: guessChunkSize(body, encoding, maxBytes) }
  try {
    switch (encoding) {
      case 'gzip':
        return gunzipSync(body, options)
      case 'deflate':
        return hasZlibHeader(body) ? inflateSync(body, options) : inflateRawSync(body, options)
      case 'zstd':
        return inflateZstd(body, options, maxBytes)
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new AppError(
      'MALFORMED_MESSAGE',
      `Cannot decompress the ${encoding} message: ${errorMessage(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** Node stops after the first frame; a body may hold several (RFC 8878, 3.1). */
function inflateZstd(body: Buffer, options: ZstdOptions, maxBytes: number): Buffer {
  const frames: Buffer[] = []
  let size = 0
  for (let rest = body; rest.length > 0; ) {
    const { buffer, engine } = zstdDecompressSync(rest, {
      ...options,
      maxOutputLength: Math.max(maxBytes - size, 1),
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_MAX_WINDOW_LOG },
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
    size += buffer.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    if (engine.bytesWritten === 0)
      throw new AppError('MALFORMED_MESSAGE', 'Cannot decompress the zstd message: no frame')
    frames.push(buffer)
    rest = rest.subarray(engine.bytesWritten)
  }
  return frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames, size)
}

/** One piece for the whole output saves joining pieces; gzip says the size at its end, for the rest a usual ratio is assumed. */
function guessChunkSize(body: Buffer, encoding: ContentEncoding, maxBytes: number): number {
  const usual = body.length * 8
  const told = encoding === 'gzip' && body.length >= 18 ? body.readUInt32LE(body.length - 4) + 1 : usual
  return Math.max(Math.min(told, body.length * 32, maxBytes + 1), MIN_CHUNK_BYTES)
}

function hasZlibHeader(body: Buffer): boolean {
  const first = body[0] ?? 0
  return (first & 0x0f) === 8 && body.length > 1 && (first * 256 + (body[1] ?? 0)) % 31 === 0
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'MESSAGE_TOO_LARGE',
    `Cannot take the message: it is larger than ${maxBytes} bytes when decompressed`,
  )
}
