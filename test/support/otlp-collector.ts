import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Signal } from '../../ingest/export-sink.ts'
import { decodeMessageRows } from './decode-message.ts'
import type { NativeRow } from './read-native.ts'

/** A receiver of OTLP/HTTP that decodes what it gets with the real decoder. */
export interface OtlpCollector {
  readonly url: string
  /** The status of its answers from now on. */
  status: number
  /** Messages that came, refused ones too. */
  readonly received: { readonly signal: Signal; readonly headers: NodeJS.Dict<string | string[]> }[]
  /** All rows of a table in the messages that were taken. */
  rows(table: string): readonly NativeRow[]
  close(): Promise<void>
}

/** Starts a collector on a free port, or on a port that was free a moment ago. */
export async function startOtlpCollector(port = 0): Promise<OtlpCollector> {
  const taken: Record<string, NativeRow[]>[] = []
  const received: OtlpCollector['received'] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const signal = (request.url ?? '').slice('/v1/'.length) as Signal
      received.push({ signal, headers: request.headers })
      if (collector.status < 300) {
        taken.push({ ...decodeMessageRows(signal, body, { now: Date.now() }).tables })
      }
      response.writeHead(collector.status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const collector: OtlpCollector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    status: 200,
    received,
    rows: (table) => taken.flatMap((tables) => tables[table] ?? []),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return collector
}
