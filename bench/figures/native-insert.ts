import type { BenchOptions } from '../bench-options.ts'
import { count, type Figure } from '../figure.ts'
import { openStorage } from '../open-storage.ts'
import { reusableMessage } from '../reusable-message.ts'
import { createSpanBlocks, insertBlocks } from '../span-blocks.ts'
import { withDirectory } from '../with-directory.ts'

const BATCH = 120_000

/** ClickHouse alone: rows of Native files into the tables with all their views, by the insert that the loader uses. */
export async function measureNativeInsert(options: BenchOptions): Promise<readonly Figure[]> {
  const spans = Math.min(options.spans ?? 1_500_000, 5_000_000)
  return await withDirectory(options, async (directory) => {
    const storage = await openStorage(directory)
    try {
      const senders = Array.from({ length: 60 }, (_, seed) =>
        reusableMessage({ spans: 512, seed, form: 'protobuf' }),
      )
      const blocks = createSpanBlocks()
      let wallMs = 0
      let cpuMicros = 0
      let rows = 0
      const begun = Date.now()
      for (let serial = 0; rows < spans; serial++) {
        const sender = senders[(serial * 11) % senders.length]
        // A second of data per second's batch, as under load.
        const nowMs = begun - 600_000 + (serial * 512) / 150
        sender?.renew(serial, nowMs)
        if (sender !== undefined) blocks.add(sender, nowMs)
        if (blocks.spans() < BATCH) continue
        const inserts = blocks.take(`insert-${serial}`)
        const before = process.cpuUsage()
        wallMs += await insertBlocks(storage, inserts)
        const cpu = process.cpuUsage(before)
        cpuMicros += cpu.user + cpu.system
        rows += inserts.find(({ table }) => table === 'spans')?.rows ?? 0
      }
      return [
        {
          what: 'ClickHouse alone (Native file, same tables and views)',
          value: `${count((rows / wallMs) * 1000)} spans/s`,
          beside: `${count((rows / cpuMicros) * 1e6)} spans per CPU second, merges that ran meanwhile included`,
        },
      ]
    } finally {
      await storage.close()
    }
  })
}
