import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { ResetReason } from '../resilience/should-retry.ts'
import type { EndpointPool, OverflowFailure, UpstreamConnection } from './endpoint-pool.ts'

/** What is sent. */
export interface UpstreamRequest {
  readonly method: string
  readonly path: string
  /** Raw, `Host` included. */
  readonly headers: string[]
  /** Called when the connection is there. */
  readonly body: () => Readable | Buffer | null
}

/** What an attempt tells. After `onReset` or `onEnd` nothing more; `onReset` may come before or after `onHead`. */
export interface AttemptListener {
  onConnection(): void
  /** An informational response other than 100. */
  onInformation(status: number, rawHeaders: readonly string[]): void
  onHead(status: number, rawHeaders: readonly string[], statusText: string): void
  onData(chunk: Buffer): void
  onEnd(trailers: readonly string[]): void
  onReset(failure: AttemptReset): void
}

/** Why an attempt ended without a whole response. */
export interface AttemptReset {
  readonly reason: ResetReason
  /** What the system said of it; '' for nothing. */
  readonly detail: string
  /** Whether a byte of the request may have been written. */
  readonly isRequestSent: boolean
  /** The breaker that refused; null: none did. */
  readonly breaker: OverflowFailure['breaker'] | null
}

/** An attempt under way. */
export interface Attempt {
  /** Gives it up; the listener hears nothing more. */
  cancel(): void
  /** Whether the connection was there and the request was begun. */
  isRequestSent(): boolean
  pause(): void
  resume(): void
}

/** Sends a request through a pool, once. */
export function sendAttempt(
  pool: EndpointPool,
  request: UpstreamRequest,
  listener: AttemptListener,
): Attempt {
  let connection: UpstreamConnection | null = null
  let controller: Dispatcher.DispatchController | null = null
  let isRequestSent = false
  let isOver = false

  function reset(reason: ResetReason, detail: string, breaker: AttemptReset['breaker'] = null): void {
    if (isOver) return
    isOver = true
    connection?.destroy()
    listener.onReset({ reason, detail, isRequestSent, breaker })
  }

  function begin(ready: UpstreamConnection): void {
    connection = ready
    listener.onConnection()
    if (isOver) return
    try {
      ready.client.dispatch(
        {
          path: request.path,
          method: request.method,
          headers: request.headers,
          body: request.body(),
          reset: ready.isLast,
        },
        handler,
      )
    } catch (error) {
      // What undici refuses to write was never sent: the caller's bytes are at fault.
      reset('local-reset', error instanceof Error ? error.message : '')
    }
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started
      isRequestSent = true
    },
    onResponseStart(_controller, status, _headers, statusText) {
      if (isOver) return
      const raw = rawText(controller?.rawHeaders)
      if (status < 200) listener.onInformation(status, raw)
      else listener.onHead(status, raw, statusText ?? '')
    },
    onResponseData(_controller, chunk) {
      if (!isOver) listener.onData(chunk)
    },
    onResponseEnd() {
      if (isOver) return
      isOver = true
      connection?.release()
      listener.onEnd(rawText(controller?.rawTrailers))
    },
    onResponseError(_controller, error) {
      const { reason, detail } = classify(error)
      reset(reason, detail)
    },
  }

  const withdraw = pool.acquire({
    onConnection: begin,
    onFailure: (failure) => {
      if (failure.reason === 'overflow') reset('overflow', '', failure.breaker)
      else reset(failure.reason, failure.detail)
    },
  })

  return {
    cancel() {
      if (isOver) return
      isOver = true
      withdraw()
      connection?.destroy()
    },
    isRequestSent: () => isRequestSent,
    pause: () => controller?.pause(),
    resume: () => controller?.resume(),
  }
}

function rawText(raw: unknown): readonly string[] {
  return Array.isArray(raw) ? raw.map((part: Buffer | string) => part.toString('latin1')) : []
}

function classify(error: Error & { readonly code?: string }): { reason: ResetReason; detail: string } {
  const { code = '', name } = error
  if (name === 'HTTPParserError' || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return { reason: 'protocol-error', detail: error.message }
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return { reason: 'protocol-error', detail: error.message }
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' || code === 'UND_ERR_INVALID_ARG') {
    return { reason: 'local-reset', detail: error.message }
  }
  return { reason: 'connection-termination', detail: '' }
}
