import fc from 'fast-check'
import type { Signal } from '../../ingest/export-sink.ts'
import { encodeRequest, exportRequests, type RequestShape } from './otlp-messages.ts'

/** A good message to spoil, in both forms. */
export interface CorpusMessage {
  readonly signal: Signal
  readonly protobuf: Buffer
  readonly json: Buffer
}

/** Below this there is little in a message that could be spoilt. */
const MIN_BYTES = 200

/** Makes about `count` messages of each signal with every field of the schema among them. */
export function messageCorpus(count: number, seed: number, shape: RequestShape = {}): CorpusMessage[] {
  return (['traces', 'metrics', 'logs'] as const).flatMap((signal) =>
    fc
      .sample(exportRequests(signal, shape), { numRuns: count * 3, seed })
      .map((request) => ({
        signal,
        protobuf: Buffer.from(encodeRequest(signal, request)),
        json: Buffer.from(JSON.stringify(request), 'utf8'),
      }))
      .filter(({ protobuf }) => protobuf.length >= MIN_BYTES)
      .slice(0, count),
  )
}
