import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { AppError } from '../../runtime/errors.ts'
import type { ExportResult, Signal } from '../export-sink.ts'
import { transcodeJson } from '../json/transcode-json.ts'
import type { ByteLease } from './byte-budget.ts'
import { type ContentEncoding, inflate, parseContentEncoding } from './inflate.ts'
import { exportResponse, exportResponseJson, statusMessage, statusMessageJson } from './otlp-response.ts'
import { overloaded, type ReceiverOptions, statusOf } from './receiver.ts'
import { readBody } from './request-body.ts'
import type { HttpAnswer } from './send-answer.ts'

/** The forms a message may have. */
export type MessageForm = 'protobuf' | 'json'

const CONTENT_TYPES = { protobuf: 'application/x-protobuf', json: 'application/json' } as const

const SIGNALS: ReadonlyMap<string, Signal> = new Map([
  ['/v1/traces', 'traces'],
  ['/v1/metrics', 'metrics'],
  ['/v1/logs', 'logs'],
])

/** The signal a request is about, by its path; undefined for a path that is none of ours. */
export function signalOf(request: IncomingMessage): Signal | undefined {
  const url = request.url ?? ''
  const query = url.indexOf('?')
  return SIGNALS.get(query === -1 ? url : url.slice(0, query))
}

/** The form of a request's message, by its `Content-Type`; JSON has to be UTF-8. Undefined for any other. */
export function formOf(request: IncomingMessage): MessageForm | undefined {
  const header = request.headers['content-type'] ?? ''
  if (header === CONTENT_TYPES.protobuf) return 'protobuf'
  const [type, ...parameters] = header.split(';').map((part) => part.trim().toLowerCase())
  if (type === CONTENT_TYPES.protobuf) return 'protobuf'
  const isUtf8 = parameters.every((text) => !text.startsWith('charset=') || /^charset="?utf-?8"?$/.test(text))
  return type === CONTENT_TYPES.json && isUtf8 ? 'json' : undefined
}

/** What a receiver takes exports with; `isClosing`: it takes no more. */
export type ExportTaker = ReceiverOptions & { readonly isClosing: boolean }

/**
 * Takes one export request, from its head to what the sink says. Whatever cannot be taken is refused before more of it is
 * read than is needed to know so. Throws AppError; the refusal is counted then.
 */
export async function takeExport(
  options: ExportTaker,
  signal: Signal,
  request: IncomingMessage,
  response: ServerResponse,
  lease: ByteLease,
): Promise<ExportResult> {
  const { tenant, message } = await readExport(options, signal, request, response, lease).catch(
    (error: unknown) => {
      options.refusals.message(signal, error)
      throw error
    },
  )
  return await options.sink.accept(signal, tenant, message)
}

async function readExport(
  options: ExportTaker,
  signal: Signal,
  request: IncomingMessage,
  response: ServerResponse,
  lease: ByteLease,
): Promise<{ readonly tenant: string; readonly message: Uint8Array }> {
  if (options.isClosing) throw new AppError('SHUTTING_DOWN', 'Cannot take the message: shutting down')
  const { tenant } = options.access.authorize(
    {
      authorization: request.headers.authorization,
      'x-scope-orgid': request.headers['x-scope-orgid'] as string | undefined,
    },
    'ingest',
  )
  const form = formOf(request)
  const encoding = parseContentEncoding(request.headers['content-encoding'])
  if (form === undefined || encoding === undefined) throw unsupported(request, form)
  if (request.headers.expect !== undefined) {
    response.writeContinue()
    delete request.headers.expect
  }
  const body = await readBody(request, options.maxMessageBytes, lease)
  options.metrics.received(form === 'json' ? 'http/json' : 'http/protobuf', signal, body.length)
  const message = toProtobuf(signal, form, decompress(body, encoding, options.maxMessageBytes, lease), lease)
  return { tenant, message }
}

/** The answer to a request whose message was taken, wholly or in part. */
export function takenAnswer(signal: Signal, form: MessageForm, result: ExportResult): HttpAnswer {
  const body = form === 'json' ? exportResponseJson(signal, result) : exportResponse(result)
  return { status: 200, headers: { 'content-type': CONTENT_TYPES[form] }, body }
}

/** The answer to a request that was refused: a `google.rpc.Status` in the form of the request. */
export function refusedAnswer(form: MessageForm, thrown: unknown): HttpAnswer {
  const status = statusOf(thrown)
  const httpStatus = thrown instanceof AppError ? thrown.httpStatus : 500
  const headers: OutgoingHttpHeaders = { 'content-type': CONTENT_TYPES[form] }
  if (status.retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(status.retryAfterMs / 1000)))
  if (httpStatus === 401) headers['www-authenticate'] = 'Bearer'
  if (httpStatus === 405) headers['allow'] = 'POST'
  if (httpStatus === 415) {
    headers['accept'] = Object.values(CONTENT_TYPES).join(', ')
    headers['accept-encoding'] = 'gzip, zstd, deflate'
  }
  return {
    status: httpStatus,
    headers,
    body: form === 'json' ? statusMessageJson(status) : statusMessage(status),
  }
}

function decompress(body: Buffer, encoding: ContentEncoding, maxBytes: number, lease: ByteLease): Buffer {
  if (encoding === 'identity') return body
  const inflated = inflate(body, encoding, maxBytes)
  if (!lease.take(inflated.length)) throw overloaded()
  return inflated
}

function toProtobuf(signal: Signal, form: MessageForm, body: Buffer, lease: ByteLease): Uint8Array {
  if (form === 'protobuf') return body
  const message = transcodeJson(signal, body)
  if (!lease.take(message.length)) throw overloaded()
  return message
}

function unsupported(request: IncomingMessage, form: MessageForm | undefined): AppError {
  const problem =
    form === undefined
      ? `Content-Type ${quote(request.headers['content-type'])}: expected application/x-protobuf or application/json in UTF-8`
      : `Content-Encoding ${quote(request.headers['content-encoding'])}: expected gzip, zstd, deflate or identity`
  return new AppError('UNSUPPORTED_MEDIA_TYPE', `Cannot take the message: ${problem}`)
}

function quote(header: string | undefined): string {
  return header === undefined ? '(none)' : JSON.stringify(header.slice(0, 80))
}
