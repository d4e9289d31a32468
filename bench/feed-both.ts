import { compress } from 'snappy'
import type { LoadMessage, MetricLoad } from './metric-load.ts'

/** One that is fed. */
export interface Fed {
  readonly name: string
  /** Where it takes remote write. */
  readonly writeUrl: string
}

/** What the feeding of one took. */
export interface Feeding {
  readonly samples: number
  /** Seconds from the first message of a slice until the last is acknowledged, over all slices. */
  readonly seconds: number
}

const SLICE_MS = 600_000
const IN_FLIGHT = 4

/** Sends the same messages to each, in order of time: one slice to the first, then to the second. Throws when a message is not taken. */
export async function feedBoth(
  all: readonly Fed[],
  load: MetricLoad,
  fromMs: number,
  toMs: number,
): Promise<readonly Feeding[]> {
  const seconds = all.map(() => 0)
  let samples = 0
  for (let at = fromMs; at < toMs; at += SLICE_MS) {
    const messages: Uint8Array[] = []
    for (const message of load.slice(at, Math.min(at + SLICE_MS, toMs))) {
      messages.push(await packed(message))
      samples += message.samples
    }
    for (const [index, fed] of all.entries()) {
      const begun = performance.now()
      await sendAll(fed, messages)
      seconds[index] = (seconds[index] ?? 0) + (performance.now() - begun) / 1000
    }
  }
  return seconds.map((took) => ({ samples, seconds: took }))
}

function packed({ body }: LoadMessage): Promise<Buffer> {
  return compress(Buffer.from(body))
}

async function sendAll({ name, writeUrl }: Fed, messages: readonly Uint8Array[]): Promise<void> {
  let next = 0
  const sender = async () => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) {
      const response = await fetch(writeUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-protobuf',
          'content-encoding': 'snappy',
          'x-prometheus-remote-write-version': '0.1.0',
        },
        body: new Uint8Array(message),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`Cannot feed ${name}: HTTP ${response.status}, ${text}`)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender))
}
