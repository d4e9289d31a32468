import type { BenchOptions } from '../bench-options.ts'
import { count, type Figure } from '../figure.ts'
import { reusableMessage } from '../reusable-message.ts'
import { createSpanBlocks } from '../span-blocks.ts'

/** Spans of a batch: about what gathers during one fsync under load. */
const BATCH = 4096

/** The decoder alone, wire bytes to Native blocks, on this thread: spans per second of CPU time. */
export async function measureDecode(options: BenchOptions): Promise<readonly Figure[]> {
  const spans = Math.min(options.spans ?? 3_000_000, 10_000_000)
  const nowMs = Date.now()
  const messages = Array.from({ length: 60 }, (_, seed) => {
    const message = reusableMessage({ spans: 512, seed, form: 'protobuf' })
    message.renew(seed, nowMs)
    return message
  })
  const blocks = createSpanBlocks()
  const decode = (wanted: number): void => {
    for (let done = 0, next = 0; done < wanted; done += 512) {
      const message = messages[next++ % messages.length]
      if (message === undefined) return
      blocks.add(message, nowMs)
      if (blocks.spans() >= BATCH) blocks.take('decode')
    }
  }
  decode(500_000)
  const before = process.cpuUsage()
  const begun = performance.now()
  decode(spans)
  const wall = (performance.now() - begun) / 1000
  const cpu = process.cpuUsage(before)
  const cpuSeconds = (cpu.user + cpu.system) / 1e6
  return [
    {
      what: 'decoder alone (protobuf to Native)',
      value: `${count(spans / cpuSeconds)} spans per CPU second`,
      beside: `${count(spans / wall)} spans/s by the clock`,
    },
  ]
}
