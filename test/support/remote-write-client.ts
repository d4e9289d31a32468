import { compressSync } from 'snappy'
import { encodeWriteRequest, type SentSeries, type WriteVersion } from './encode-write-request.ts'

/** How a message is sent. */
export interface WriteOptions {
  /** Default 1. */
  readonly version?: WriteVersion
  /** Beside, or instead of, those that a sender sends; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>
  /** Default: `/prometheus/api/v1/write`. */
  readonly path?: string
}

/** What the receiver answered. */
export interface WriteAnswer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

const CONTENT_TYPES: Readonly<Record<WriteVersion, string>> = {
  1: 'application/x-protobuf',
  2: 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
}

/** Sends series by remote write to `url`: the API's or the OTLP/HTTP listener's, without path. */
export async function remoteWrite(
  url: string,
  series: readonly SentSeries[],
  options: WriteOptions = {},
): Promise<WriteAnswer> {
  return await sendWriteBody(url, compressSync(encodeWriteRequest(series, options.version ?? 1)), options)
}

/** Sends any bytes as the body of a remote write. */
export async function sendWriteBody(
  url: string,
  body: Uint8Array,
  options: WriteOptions = {},
): Promise<WriteAnswer> {
  const version = options.version ?? 1
  const headers = {
    'content-type': CONTENT_TYPES[version],
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': version === 1 ? '0.1.0' : '2.0.0',
    ...options.headers,
  }
  const response = await fetch(`${url}${options.path ?? '/prometheus/api/v1/write'}`, {
    method: 'POST',
    headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === null ? [] : [[name, value]],
    ),
    body: new Uint8Array(body),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}
