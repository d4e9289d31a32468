import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_LEDGER, type Group } from '../state/group.ts'
import { dueAt, firstTick, nextTick } from './group-timer.ts'

const timers = fc.record({
  groupWaitMs: fc.nat(60_000),
  groupIntervalMs: fc.integer({ min: 1, max: 600_000 }),
  repeatIntervalMs: fc.integer({ min: 1, max: 6_000_000 }),
})
const time = fc.nat(10_000_000)

function group(nextTickMs: number, toldTickMs: number | null): Group {
  const told = toldTickMs === null ? null : { firing: ['a'], tickMs: toldTickMs }
  return { nextTickMs, ledgers: { 'webhook/0': { ...EMPTY_LEDGER, told } } } as unknown as Group
}

test('the first look is group_wait after the first alert', () => {
  fc.assert(fc.property(time, timers, (now, given) => firstTick(now, given) - now === given.groupWaitMs))
})

test('the next look is the first whole interval after the last that is not over', () => {
  fc.assert(
    fc.property(time, fc.nat(5_000_000), timers, (tick, late, given) => {
      const now = tick + late
      const next = nextTick(tick, given, now)
      expect(next).toBeGreaterThan(now)
      expect(next - now).toBeLessThanOrEqual(given.groupIntervalMs)
      expect((next - tick) % given.groupIntervalMs).toBe(0)
    }),
  )
})

test('a repeat is looked at when it is due, once, and never later than the next tick', () => {
  fc.assert(
    fc.property(time, time, timers, fc.nat(5_000_000), (nextTickMs, toldMs, given, lookedMs) => {
      const due = dueAt(group(nextTickMs, toldMs), given, lookedMs)
      const repeat = toldMs + given.repeatIntervalMs
      expect(due).toBe(repeat > lookedMs ? Math.min(nextTickMs, repeat) : nextTickMs)
      expect(dueAt(group(nextTickMs, null), given, lookedMs)).toBe(nextTickMs)
    }),
  )
})
