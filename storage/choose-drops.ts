import type { Partition } from './list-partitions.ts'

/** The volume that the tables are on. */
export interface Disk {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** What {@link chooseDrops} decides from. */
export interface SpaceSituation {
  /** Epoch milliseconds. */
  readonly now: number
  readonly disk: Disk
  /** In any order. */
  readonly partitions: readonly Partition[]
  /** How much is to stay free, bytes; 0 switches the guard off. At most a quarter of the volume is defended. */
  readonly minFreeBytes: number
}

/** One day that has to go. */
export interface Drop {
  readonly day: string
  /** Its partitions in all tables. */
  readonly partitions: readonly Partition[]
}

/**
 * Which days to drop so that enough of the volume is free: whole days over all tables, oldest first, no more than needed,
 * never today's (UTC) or later ones. Empty when there is enough, or nothing that may go.
 */
export function chooseDrops(situation: SpaceSituation): Drop[] {
  const { now, disk, partitions, minFreeBytes } = situation
  const today = Math.floor(now / 86_400_000)
  const wanted = Math.min(minFreeBytes, disk.totalBytes / 4)
  const old = partitions.filter(({ dayNumber }) => dayNumber < today)
  const days = [...new Set(old.map(({ dayNumber }) => dayNumber))].sort((a, b) => a - b)
  const drops: Drop[] = []
  let free = disk.freeBytes
  for (const dayNumber of days) {
    if (free >= wanted) break
    const gone = old.filter((partition) => partition.dayNumber === dayNumber)
    drops.push({ day: gone[0]?.day ?? '', partitions: gone })
    free += gone.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  return drops
}
