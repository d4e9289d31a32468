import { encodeJsonExport } from './encode-json-export.ts'
import { encodeProtobufExport } from './encode-protobuf-export.ts'
import { type SpanOffsets, writeDigits, writeHex } from './encoded-export.ts'
import { meshExport } from './mesh-spans.ts'
import { HOPS, hopWord, requestWord, spanWord, traceWord } from './span-ids.ts'

/** A message that can be sent again and again as other spans: ids, times, durations and sizes are rewritten in place. */
export interface ReusableMessage {
  readonly bytes: Buffer
  readonly spans: number
  /** Makes it the message number `serial` (see `span-ids.ts`), whose spans start in the second before `nowMs` (epoch). */
  renew(serial: number, nowMs: number): void
}

/** Makes one; `form` is that of the OTLP message. Random parts are really random, so that storage cannot compress them away. */
export function reusableMessage(options: {
  readonly spans: number
  readonly seed: number
  readonly form: 'protobuf' | 'json'
}): ReusableMessage {
  const content = meshExport(options.spans, options.seed)
  const encoded = options.form === 'json' ? encodeJsonExport(content) : encodeProtobufExport(content)
  const { bytes, spans } = encoded
  return {
    bytes,
    spans: spans.length,
    renew: (serial, nowMs) => {
      const base = BigInt(Math.floor(nowMs)) * 1_000_000n
      const isRoot = serial % HOPS === 0
      for (let index = 0; index < spans.length; index++) {
        const at = spans[index] as SpanOffsets
        const pair = index >> 1
        const isClient = (index & 1) === 1
        for (let word = 0; word < 4; word++)
          encoded.writeIdWord(at.traceId, word, traceWord(serial, pair, word))
        for (let word = 0; word < 2; word++) {
          encoded.writeIdWord(at.spanId, word, spanWord(serial, pair, isClient, word))
          // A client span is called by its proxy's server span, and that by the client span one hop before.
          const parent = isClient
            ? spanWord(serial, pair, false, word)
            : isRoot
              ? 0
              : spanWord(serial - 1, pair, true, word)
          encoded.writeIdWord(at.parentId, word, parent)
        }
        writeHex(bytes, at.requestId, requestWord(serial, pair, 8))
        writeHex(bytes, at.requestId + 8, requestWord(serial, pair, 9))
        const random = hopWord(serial, pair, isClient ? 13 : 12)
        // 0.1 to 80 ms, most of them short; the second of the request is shared by its hops.
        const duration = Math.floor(Math.exp((random >>> 8) / 2_500_000) * 100_000)
        const before =
          100_000_000 + (requestWord(serial, pair, 10) % 900_000_000) - (serial % HOPS) * 3_000_000
        encoded.writeTime(at.start, base, before - (isClient ? 400_000 : 0) + (random & 0xffff))
        encoded.writeTime(at.end, base, before - (isClient ? 400_000 : 0) + (random & 0xffff) - duration)
        writeDigits(bytes, at.requestSize, 1000 + (random % 9000), 4)
        writeDigits(bytes, at.responseSize, 10_000 + (hopWord(serial, pair, 14) % 90_000), 5)
      }
    },
  }
}
