import { AppError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Refusals } from '../create-refusals.ts'
import type { ByteLease } from '../receivers/byte-budget.ts'
import { overloaded, statusOf } from '../receivers/receiver.ts'
import type { Unsnappy } from './unsnappy.ts'
import type { WriteResult, WriteSink } from './write-sink.ts'
import { type WriteVersion, writeVersionOf } from './write-version.ts'

/** One request of remote write whose body was read. */
export interface WriteRequest {
  readonly tenant: string
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** As it came. */
  readonly body: Uint8Array
}

/** What a sender is answered; plain data, so that it can go to another thread. */
export interface WriteAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text, for the sender's log. */
  readonly body: string
}

/** What answers are made with. */
export interface WriteAnswerOptions {
  readonly sink: WriteSink
  readonly unsnappy: Unsnappy
  /** Largest message, bytes, decompressed. */
  readonly maxMessageBytes: number
  readonly logger: Logger
  /** Counts what is refused before the sink has it. */
  readonly refusals: Refusals
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' }
const NOTHING: WriteResult = { samples: 0, histograms: 0, exemplars: 0, rejected: 0, message: '' }

/**
 * Takes a request of remote write, 1.0 or 2.0: 204 when all of it is on disk, 400 when the good part of it is (senders do not send it again),
 * 503 with `Retry-After` when it is to come again. `lease` is charged with what the message becomes. Never rejects.
 */
export async function answerWrite(
  options: WriteAnswerOptions,
  request: WriteRequest,
  lease: ByteLease,
): Promise<WriteAnswer> {
  let version: WriteVersion = 1
  let isHandedOver = false
  try {
    version = writeVersionOf(request.contentType, request.contentEncoding)
    const message = options.unsnappy(request.body, options.maxMessageBytes)
    if (!lease.take(message.length)) throw overloaded()
    isHandedOver = true
    const result = await options.sink.acceptWrite(version, request.tenant, message)
    const headers = writtenHeaders(version, result)
    if (result.rejected === 0) return { status: 204, headers, body: '' }
    options.logger.debug({ event: 'remote_write.partial', rejected: result.rejected }, result.message)
    return { status: 400, headers: { ...TEXT, ...headers }, body: `${result.message}\n` }
  } catch (error) {
    if (!isHandedOver) options.refusals.message('metrics', error)
    if (!(error instanceof AppError)) options.logger.error({ event: 'remote_write.failed', err: error })
    else options.logger.debug({ event: 'remote_write.refused', code: error.code }, error.message)
    const refusal = refusedWrite(error)
    return { ...refusal, headers: { ...refusal.headers, ...writtenHeaders(version, NOTHING) } }
  }
}

/** The answer to a request of which nothing was taken: the reason as text. */
export function refusedWrite(thrown: unknown): WriteAnswer {
  const { message, retryAfterMs } = statusOf(thrown)
  const status = thrown instanceof AppError ? thrown.httpStatus : 500
  const headers: Record<string, string> = { ...TEXT }
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  if (status === 405) headers['allow'] = 'POST'
  return { status, headers, body: `${message}\n` }
}

/** What 2.0 wants to be told, whatever the status: a receiver that does not say it is taken for one of 1.0. */
function writtenHeaders(version: WriteVersion, result: WriteResult): Record<string, string> {
  if (version === 1) return {}
  return {
    'x-prometheus-remote-write-samples-written': String(result.samples),
    'x-prometheus-remote-write-histograms-written': String(result.histograms),
    'x-prometheus-remote-write-exemplars-written': String(result.exemplars),
  }
}
