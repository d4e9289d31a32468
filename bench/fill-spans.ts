import { gzipSync } from 'node:zlib'
import type { Storage } from '../storage/storage.ts'
import { type ReusableMessage, reusableMessage } from './reusable-message.ts'
import { createSpanBlocks, insertBlocks } from './span-blocks.ts'
import { HOPS } from './span-ids.ts'

/** How to fill. */
export interface FillOptions {
  readonly spans: number
  /** The spans start between these, epoch milliseconds, in order of time. */
  readonly startMs: number
  readonly endMs: number
}

/** What was filled. */
export interface Filled {
  readonly spans: number
  /** Messages are numbered from 0: see `span-ids.ts`. */
  readonly messages: number
  readonly spansPerMessage: number
  /** When message `serial` was sent, epoch milliseconds. */
  sentAtMs(serial: number): number
  readonly otlpBytes: number
  /** The same after gzip of each message, estimated from one in a hundred. */
  readonly gzipBytes: number
}

/** Pods that send: 30 services of two. */
const SENDERS = 60
const SPANS_PER_MESSAGE = 512
/** Spans of an insert: what the loader takes at once under load. */
const BATCH = 120_000

/** Stores spans as ingest does (decoder, Native blocks, one insert a batch), without receiver and journal. */
export async function fillSpans(storage: Storage, options: FillOptions): Promise<Filled> {
  const senders: ReusableMessage[] = Array.from({ length: SENDERS }, (_, seed) =>
    reusableMessage({ spans: SPANS_PER_MESSAGE, seed, form: 'protobuf' }),
  )
  const messages = Math.ceil(options.spans / SPANS_PER_MESSAGE / HOPS) * HOPS
  // All hops of a request happen at the same time.
  const sentAtMs = (serial: number): number =>
    options.startMs +
    1000 +
    (Math.floor(serial / HOPS) / (messages / HOPS)) * (options.endMs - options.startMs - 1000)
  const blocks = createSpanBlocks()
  let otlpBytes = 0
  let sampled = 0
  let sampledGzip = 0
  for (let serial = 0; serial < messages; serial++) {
    // Eleven has no factor in common with the number of senders, so that the hops are different services.
    const sender = senders[(serial * 11) % SENDERS] as ReusableMessage
    sender.renew(serial, sentAtMs(serial))
    blocks.add(sender, sentAtMs(serial))
    otlpBytes += sender.bytes.length
    if (serial % 100 === 0) {
      sampled += sender.bytes.length
      sampledGzip += gzipSync(sender.bytes).length
    }
    if (blocks.spans() >= BATCH || serial === messages - 1) {
      await insertBlocks(storage, blocks.take(`fill-${serial}`))
    }
  }
  return {
    spans: messages * SPANS_PER_MESSAGE,
    messages,
    spansPerMessage: SPANS_PER_MESSAGE,
    sentAtMs,
    otlpBytes,
    gzipBytes: (otlpBytes * sampledGzip) / sampled,
  }
}
