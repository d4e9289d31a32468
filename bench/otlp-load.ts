import { openGrpcSender } from './grpc-sender.ts'
import { openHttpSender } from './http-sender.ts'
import { quantile } from './quantile.ts'
import { reusableMessage } from './reusable-message.ts'
import { HOPS } from './span-ids.ts'

// A load generator that spends as little CPU as a client can, so that the machine is the server's. Runs as a process of its
// own (`start-load.ts`). Argument: LoadOptions as JSON. Prints one LoadResult as a JSON line.

/** What to send. */
export interface LoadOptions {
  /** `http://host:port` (protobuf, json) or `host:port` (grpc). */
  readonly target: string
  readonly protocol: 'protobuf' | 'json' | 'grpc'
  /** Spans in a message. */
  readonly spans: number
  /** Each sends one message at a time. */
  readonly connections: number
  readonly seconds: number
  /** Over all connections; null: as fast as it is taken. */
  readonly spansPerSecond: number | null
}

/** What came of it. */
export interface LoadResult {
  /** Spans of acknowledged messages, and of refused ones. */
  readonly accepted: number
  readonly refused: number
  readonly seconds: number
  readonly bytesPerSpan: number
  /** From the first byte sent to the whole answer read, milliseconds. */
  readonly ackMs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Of the generator itself. */
  readonly cpuSeconds: number
  /** The first message's number (see `span-ids.ts`) and how many were sent. */
  readonly firstSerial: number
  readonly messages: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions
const form = options.protocol === 'json' ? 'json' : 'protobuf'
// Another run's ids are others.
const firstSerial = (Math.floor(Date.now() / 100) % 400_000_000) * HOPS
const latencies: number[] = []
let accepted = 0
let refused = 0
let bytes = 0
let sent = 0
const connections = await Promise.all(
  Array.from({ length: options.connections }, async (_, index) => ({
    message: reusableMessage({ spans: options.spans, seed: index, form }),
    sender: await (options.protocol === 'grpc'
      ? openGrpcSender(options.target)
      : openHttpSender(options.target, form)),
  })),
)
const started = performance.now()
const until = started + options.seconds * 1000
await Promise.all(connections.map(run))
const seconds = (performance.now() - started) / 1000
const cpu = process.cpuUsage()
const result: LoadResult = {
  accepted,
  refused,
  seconds,
  bytesPerSpan: Math.round(bytes / Math.max(1, accepted + refused)),
  ackMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), max: quantile(latencies, 1) },
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  firstSerial,
  messages: sent,
}
process.stdout.write(`${JSON.stringify(result)}\n`)

async function run({ message, sender }: (typeof connections)[number]): Promise<void> {
  for (;;) {
    const number = sent++
    if (options.spansPerSecond !== null) {
      const due = started + ((number * options.spans) / options.spansPerSecond) * 1000
      const wait = Math.min(due, until) - performance.now()
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
    }
    if (performance.now() >= until) {
      sent--
      break
    }
    message.renew(firstSerial + number, Date.now())
    const begun = performance.now()
    const isAccepted = await sender.send(message.bytes)
    latencies.push(performance.now() - begun)
    bytes += message.bytes.length
    if (isAccepted) accepted += options.spans
    else {
      refused += options.spans
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  sender.close()
}
