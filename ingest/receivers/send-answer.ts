import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { declaredLength } from './request-body.ts'

/** One answer to an HTTP request. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

/** Leftovers up to this size are read to keep the connection. */
const MAX_DRAIN_BYTES = 4 * 1024 * 1024
const LINGER_MS = 2000
const MAX_LINGER_BYTES = 64 * 1024 * 1024

/**
 * Sends an answer. When the body of the request has not been read to its end, a small rest is read and thrown away, so that
 * the connection can be used again; before a large one the connection is closed, but not at once: a client that
 * is still sending would see a reset instead of the answer.
 */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  if (response.destroyed) return
  const headers = { ...answer.headers, 'content-length': answer.body.length }
  if (request.complete || request.readableEnded) {
    response.writeHead(answer.status, headers)
    response.end(answer.body)
    return
  }
  const rest = declaredLength(request)
  const isWaiting = request.headers.expect !== undefined
  if (rest !== undefined && rest <= MAX_DRAIN_BYTES && !isWaiting) {
    response.writeHead(answer.status, headers)
    response.end(answer.body)
    request.resume()
    return
  }
  response.writeHead(answer.status, { ...headers, connection: 'close' })
  if (isWaiting) {
    response.end(answer.body)
    return
  }
  response.write(answer.body)
  linger(request, response)
}

function linger(request: IncomingMessage, response: ServerResponse): void {
  let size = 0
  const finish = (): void => {
    clearTimeout(timer)
    request.off('data', onData)
    if (!response.writableEnded && !response.destroyed) response.end()
  }
  const onData = (chunk: Buffer): void => {
    size += chunk.length
    if (size > MAX_LINGER_BYTES) finish()
  }
  const timer = setTimeout(finish, LINGER_MS)
  timer.unref()
  request.on('data', onData).once('end', finish).once('close', finish)
  request.resume()
}
