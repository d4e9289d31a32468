import { numbersOf } from '../../storage/block-columns.ts'
import type { Storage } from '../../storage/storage.ts'
import { type BasesRead, readBases } from './read-bases.ts'
import type { SampleScope } from './read-samples.ts'

/** What differences of numbers come to before a scope's range, by series; see {@link readBases}. */
export async function readDeltaBases(
  storage: Storage,
  scope: SampleScope,
  read: Pick<BasesRead, 'table' | 'isEndless'> & { readonly condition: string },
): Promise<ReadonlyMap<string, number>> {
  const total = { name: 'total', value: 'toFloat64(value)', sum: 'sum', greatest: 'value' } as const
  const rows = await readBases(storage, scope, {
    ...read,
    name: 'metrics.deltaBases',
    groupBy: [],
    sums: [total],
  })
  return new Map(rows.map(({ id, block, row }) => [id, Number(numbersOf(block, 'total')[row])]))
}
