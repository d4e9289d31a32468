import type { ExportResult, Signal } from '../export-sink.ts'
import {
  type BackwardWriter,
  createBackwardWriter,
  writeUtf8,
  writeVarint,
  writtenBytes,
  writtenLength,
} from '../json/backward-writer.ts'

/** `google.rpc.Status`: why a request was not taken. */
export interface OtlpStatus {
  /** gRPC status code. */
  readonly code: number
  readonly message: string
  /** When to try again, as `google.rpc.RetryInfo`; undefined: trying again is of no use. */
  readonly retryAfterMs?: number | undefined
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'

/** The JSON name of the count of what was rejected; in protobuf it is field 1 for every signal. */
const REJECTED_NAMES = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
} as const satisfies Record<Signal, string>

const NOTHING = Buffer.alloc(0)

/** An `Export…ServiceResponse` in protobuf: empty when all was taken and nothing is to be said. */
export function exportResponse(result: ExportResult): Buffer {
  if (result.rejected === 0 && result.message === '') return NOTHING
  const writer = createBackwardWriter(result.message.length + 32)
  if (result.message !== '') writeText(writer, 2, result.message)
  if (result.rejected !== 0) writeInteger(writer, 1, result.rejected)
  closeMessage(writer, 1, 0)
  return writtenBytes(writer)
}

/** The same in OTLP's JSON form. */
export function exportResponseJson(signal: Signal, result: ExportResult): Buffer {
  if (result.rejected === 0 && result.message === '') return Buffer.from('{}')
  const partialSuccess = {
    ...(result.rejected === 0 ? {} : { [REJECTED_NAMES[signal]]: String(result.rejected) }),
    ...(result.message === '' ? {} : { errorMessage: result.message }),
  }
  return Buffer.from(JSON.stringify({ partialSuccess }))
}

/** A `google.rpc.Status` in protobuf. */
export function statusMessage(status: OtlpStatus): Buffer {
  const writer = createBackwardWriter(status.message.length + 96)
  if (status.retryAfterMs !== undefined) writeRetryInfo(writer, status.retryAfterMs)
  if (status.message !== '') writeText(writer, 2, status.message)
  if (status.code !== 0) writeInteger(writer, 1, status.code)
  return writtenBytes(writer)
}

/** The same in the JSON form of protobuf. */
export function statusMessageJson(status: OtlpStatus): Buffer {
  const { code, message, retryAfterMs } = status
  const details =
    retryAfterMs === undefined
      ? {}
      : { details: [{ '@type': RETRY_INFO, retryDelay: `${retryAfterMs / 1000}s` }] }
  return Buffer.from(JSON.stringify({ code, message, ...details }))
}

/** Field 3 of Status: an Any with a RetryInfo, whose field 1 is a Duration. */
function writeRetryInfo(writer: BackwardWriter, retryAfterMs: number): void {
  const seconds = Math.floor(retryAfterMs / 1000)
  const nanos = Math.round((retryAfterMs - seconds * 1000) * 1e6)
  if (nanos !== 0) writeInteger(writer, 2, nanos)
  if (seconds !== 0) writeInteger(writer, 1, seconds)
  closeMessage(writer, 1, 0)
  closeMessage(writer, 2, 0)
  writeText(writer, 1, RETRY_INFO)
  closeMessage(writer, 3, 0)
}

function writeInteger(writer: BackwardWriter, field: number, value: number): void {
  writeVarint(writer, value)
  writeVarint(writer, field << 3)
}

function writeText(writer: BackwardWriter, field: number, text: string): void {
  writeVarint(writer, writeUtf8(writer, text))
  writeVarint(writer, (field << 3) | 2)
}

/** Puts all that was written after `mark` bytes into field `field`. */
function closeMessage(writer: BackwardWriter, field: number, mark: number): void {
  writeVarint(writer, writtenLength(writer) - mark)
  writeVarint(writer, (field << 3) | 2)
}
