import type { Storage } from '../../storage/storage.ts'
import type { BenchOptions } from '../bench-options.ts'
import { type Figure, ms } from '../figure.ts'
import { openStorage } from '../open-storage.ts'
import { reusableMessage } from '../reusable-message.ts'
import { createSpanBlocks, insertBlocks } from '../span-blocks.ts'
import { withDirectory } from '../with-directory.ts'

const BATCH = 120_000
const TABLES = [
  'origins',
  'attribute_keys',
  'spans',
  'traces',
  'red_10s',
  'red_5m',
  'edges_10s',
  'edges_5m',
] as const

/** What it costs that an insert is answered only when its parts are synced to disk: the same inserts with and without, in turns. */
export async function measureInsertSync(options: BenchOptions): Promise<readonly Figure[]> {
  const rounds = Math.max(3, Math.round((options.spans ?? 2_400_000) / BATCH / 2))
  return await withDirectory(options, async (directory) => {
    const storage = await openStorage(directory)
    try {
      const times = { synced: [] as number[], unsynced: [] as number[] }
      const blocks = createSpanBlocks()
      let serial = 0
      const nextBatch = () => {
        while (blocks.spans() < BATCH) {
          const sender = reusableMessage({ spans: 512, seed: serial % 60, form: 'protobuf' })
          sender.renew(serial, Date.now() - 600_000)
          blocks.add(sender, Date.now() - 600_000)
          serial++
        }
        return blocks.take(`sync-${serial}`)
      }
      // The first insert of a table opens what the later ones find open.
      await insertBlocks(storage, nextBatch())
      for (let round = 0; round < rounds; round++) {
        for (const mode of ['synced', 'unsynced'] as const) {
          await setSync(storage, mode === 'synced')
          times[mode].push(await insertBlocks(storage, nextBatch()))
        }
      }
      return [
        {
          what: `insert of ${BATCH} spans, parts synced (as shipped)`,
          value: `${ms(median(times.synced))} median, ${ms(Math.max(...times.synced))} worst of ${rounds}`,
          beside: `not synced: ${ms(median(times.unsynced))} median, ${ms(Math.max(...times.unsynced))} worst`,
        },
      ]
    } finally {
      await storage.close()
    }
  })
}

async function setSync(storage: Storage, isSynced: boolean): Promise<void> {
  const value = isSynced ? 1 : 0
  for (const table of TABLES) {
    await storage.command(
      `ALTER TABLE ${table} MODIFY SETTING fsync_after_insert = ${value}, fsync_part_directory = ${value}`,
    )
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
