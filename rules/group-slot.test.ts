import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slotAt } from '../model/slot.ts'
import { dueSlot, slotOffset } from './group-slot.ts'

const MINUTE = 60_000

describe('slots of groups', () => {
  test('depend on name and file only, and spread over the interval', () => {
    const offsets = Array.from({ length: 200 }, (_, index) =>
      slotOffset({ file: 'a.yaml', name: `g${index}` }, MINUTE),
    )
    expect(slotOffset({ file: 'a.yaml', name: 'g0' }, MINUTE)).toBe(offsets[0])
    expect(slotOffset({ file: 'b.yaml', name: 'g0' }, MINUTE)).not.toBe(offsets[0])
    for (const quarter of [0, 1, 2, 3]) {
      const inside = offsets.filter((offset) => Math.floor(offset / 15_000) === quarter)
      expect(inside.length).toBeGreaterThan(25)
    }
  })

  test('the last slot is at or before now, less than an interval ago', () => {
    const interval = fc.integer({ min: 1000, max: 3_600_000 })
    const now = fc.integer({ min: 0, max: 4_000_000_000_000 })
    fc.assert(
      fc.property(
        now,
        interval,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (nowMs, intervalMs, part) => {
          const offsetMs = Math.floor(part * intervalMs)
          const slot = slotAt(nowMs, intervalMs, offsetMs)
          expect(slot <= nowMs && nowMs - slot < intervalMs).toBe(true)
          expect((slot - offsetMs) % intervalMs === 0).toBe(true)
        },
      ),
    )
  })

  test.each([
    ['the next one', 65_000, 10_000, { timeMs: 60_000, missed: 0 }],
    ['none twice', 65_000, 60_000, null],
    ['missed ones are counted, not made up for', 305_000, 60_000, { timeMs: 300_000, missed: 3 }],
    ['a clock set back a little waits', 59_000, 60_000, null],
    ['a clock set back by hours goes on from there', 65_000, 7_200_000, { timeMs: 60_000, missed: 0 }],
  ])('%s', (_title, nowMs, lastMs, expected) => {
    const aligned = lastMs === 10_000 ? 0 : lastMs
    expect(dueSlot(nowMs, aligned, MINUTE, 0)).toEqual(expected)
  })
})
