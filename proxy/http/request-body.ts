import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** What is kept of a request's body so that it can be sent again; Envoy's default per connection. */
export const MAX_REPLAY_BYTES = 1024 * 1024

/** A request's body: streamed to the attempt under way, kept for the next one as long as it is small. */
export interface RequestBody {
  /** More came than is kept: no further attempt can be made. */
  isTooLarge(): boolean
  /** The caller has sent everything. */
  isComplete(): boolean
  /** Bytes that came so far. */
  size(): number
  /** The body for one attempt, from its beginning; null when the request has none. Ends the stream of the attempt before. */
  open(): Readable | Buffer | null
  /** Called once the caller has sent everything; at once if it has. */
  onComplete(listener: () => void): void
  /** The request is answered: whatever still comes is read and thrown away, so that the connection can be used again. */
  discard(): void
}

/** Whether the request says that a body follows. */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** Takes over the body of a request; nothing is read before the first {@link RequestBody.open}, so a caller is not hurried. */
export function createRequestBody(request: IncomingMessage): RequestBody {
  if (!hasBody(request)) {
    return {
      isTooLarge: () => false,
      isComplete: () => true,
      size: () => 0,
      open: () => null,
      onComplete: (listener) => listener(),
      discard: () => {},
    }
  }
  let kept: Buffer[] = []
  let size = 0
  let isTooLarge = false
  let isComplete = false
  let isReading = false
  let isDiscarding = false
  let consumer: Readable | null = null
  const listeners: (() => void)[] = []

  function startReading(): void {
    isReading = true
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (isDiscarding) return
      if (!isTooLarge) {
        if (size > MAX_REPLAY_BYTES) {
          isTooLarge = true
          kept = []
        } else kept.push(chunk)
      }
      // Without an attempt that reads, what is kept would be all there is to bound the memory.
      if (consumer === null || !consumer.push(chunk)) request.pause()
    })
    request.once('end', () => {
      isComplete = true
      consumer?.push(null)
      for (const listener of listeners.splice(0)) listener()
    })
  }

  function openStream(): Readable {
    const stream = new Readable({ read: () => void request.resume() })
    stream.once('close', () => {
      if (consumer === stream) consumer = null
    })
    // An attempt that is given up destroys its stream; that is no error of anybody's.
    stream.on('error', () => {})
    for (const chunk of kept) stream.push(chunk)
    consumer = stream
    return stream
  }

  return {
    isTooLarge: () => isTooLarge,
    isComplete: () => isComplete,
    size: () => size,
    open() {
      consumer?.destroy()
      if (isComplete && !isTooLarge) return Buffer.concat(kept)
      const stream = openStream()
      if (isReading) request.resume()
      else startReading()
      return stream
    },
    onComplete(listener) {
      if (isComplete) listener()
      else listeners.push(listener)
    },
    discard() {
      if (isComplete) return
      isDiscarding = true
      kept = []
      consumer?.destroy()
      request.resume()
    },
  }
}
