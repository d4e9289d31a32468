import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseDrops } from './choose-drops.ts'
import type { Partition } from './list-partitions.ts'

const TODAY = 20_000
const NOW = TODAY * 86_400_000 + 3_600_000
const GIB = 2 ** 30

function partition(daysAgo: number, bytes: number, table: Partition['table'] = 'spans'): Partition {
  const dayNumber = TODAY - daysAgo
  return { table, day: new Date(dayNumber * 86_400_000).toISOString().slice(0, 10), dayNumber, bytes }
}

function daysDropped(freeBytes: number, partitions: readonly Partition[], minFreeBytes = 10 * GIB): number[] {
  const situation = { now: NOW, disk: { freeBytes, totalBytes: 100 * GIB }, partitions, minFreeBytes }
  return chooseDrops(situation).map((drop) => TODAY - (drop.partitions[0]?.dayNumber ?? 0))
}

describe('chooseDrops', () => {
  const week = [0, 1, 2, 3, 4, 5, 6].map((daysAgo) => partition(daysAgo, 3 * GIB))

  test('drops nothing while enough is free', () => {
    expect(daysDropped(10 * GIB, week)).toEqual([])
  })

  test('drops the oldest day, and only as many as are needed', () => {
    expect(daysDropped(10 * GIB - 1, week)).toEqual([6])
    expect(daysDropped(4 * GIB, week)).toEqual([6, 5])
  })

  test('never drops today or a day to come', () => {
    expect(daysDropped(0, [partition(0, GIB), partition(-1, GIB)])).toEqual([])
    expect(daysDropped(0, week)).toEqual([6, 5, 4, 3])
    expect(daysDropped(0, [...week.slice(0, 3), partition(-1, GIB)])).toEqual([2, 1])
  })

  test('drops a day in all tables', () => {
    const partitions = [partition(1, GIB), partition(2, GIB, 'logs'), partition(2, GIB, 'spans')]
    const situation = {
      now: NOW,
      disk: { freeBytes: 9 * GIB, totalBytes: 100 * GIB },
      partitions,
      minFreeBytes: 10 * GIB,
    }
    expect(chooseDrops(situation)).toEqual([{ day: partition(2, 0).day, partitions: partitions.slice(1) }])
  })

  test('defends at most a quarter of the volume', () => {
    expect(daysDropped(25 * GIB, week, 1000 * GIB)).toEqual([])
    expect(daysDropped(24 * GIB, week, 1000 * GIB)).toEqual([6])
  })

  test('does nothing when switched off', () => {
    expect(daysDropped(0, week, 0)).toEqual([])
  })

  test('always keeps a day that is newer than one it drops, and stops when enough is free', () => {
    const anyPartition = fc.record({
      daysAgo: fc.integer({ min: -1, max: 9 }),
      gib: fc.integer({ min: 0, max: 9 }),
    })
    fc.assert(
      fc.property(fc.array(anyPartition), fc.integer({ min: 0, max: 20 }), (list, freeGib) => {
        const partitions = list.map(({ daysAgo, gib }) => partition(daysAgo, gib * GIB))
        const gone = daysDropped(freeGib * GIB, partitions)
        const kept = list.filter(({ daysAgo }) => daysAgo > 0 && !gone.includes(daysAgo))
        const freedGib = (days: readonly number[]) =>
          list.filter(({ daysAgo }) => days.includes(daysAgo)).reduce((sum, { gib }) => sum + gib, 0)
        expect(gone.every((day) => day > 0 && kept.every(({ daysAgo }) => daysAgo < day))).toBe(true)
        if (gone.length > 0) expect(freeGib + freedGib(gone.slice(0, -1))).toBeLessThan(10)
        if (kept.length > 0) expect(freeGib + freedGib(gone)).toBeGreaterThanOrEqual(10)
      }),
    )
  })
})
