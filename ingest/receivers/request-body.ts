import type { IncomingMessage } from 'node:http'
import { AppError } from '../../runtime/errors.ts'
import type { ByteLease } from './byte-budget.ts'
import { overloaded } from './receiver.ts'

const EMPTY = Buffer.alloc(0)

/** The length a request declares, or undefined when it comes in chunks. */
export function declaredLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length']
  return header === undefined ? undefined : Number(header)
}

/**
 * Reads a whole body of at most `maxBytes`, the bytes taken from `lease` (a declared length at once, before anything is read).
 * Throws AppError MESSAGE_TOO_LARGE, OVERLOADED, or CANCELLED when the client goes away; the rest of the body is then unread.
 */
export function readBody(request: IncomingMessage, maxBytes: number, lease: ByteLease): Promise<Buffer> {
  const declared = declaredLength(request) ?? 0
  if (declared > maxBytes) return Promise.reject(tooLarge(maxBytes))
  if (!lease.take(declared)) return Promise.reject(overloaded())
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let size = 0
  const onData = (chunk: Buffer): void => {
    const extra = size + chunk.length - Math.max(size, declared)
    size += chunk.length
    if (size > maxBytes) finish(tooLarge(maxBytes))
    else if (extra > 0 && !lease.take(extra)) finish(overloaded())
    else chunks.push(chunk)
  }
  const onEnd = (): void => finish(undefined)
  const onClose = (): void =>
    finish(new AppError('CANCELLED', 'Cannot read the message: the client went away'))
  const finish = (error: AppError | undefined): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose)
    if (error !== undefined) {
      request.pause()
      reject(error)
    } else {
      resolve(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks, size))
    }
  }
  request.on('data', onData).on('end', onEnd).on('close', onClose)
  // A reset connection shows as `close` too; unheard, the event would end the process.
  request.on('error', () => {})
  return promise
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('MESSAGE_TOO_LARGE', `Cannot take the message: it is larger than ${maxBytes} bytes`)
}
