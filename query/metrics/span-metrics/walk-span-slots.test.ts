import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REACH_SECONDS, type SlotSample, walkSpanSlots } from './walk-span-slots.ts'

const DAY = 86_400
/** A day's number and its beginning, epoch seconds. */
const TODAY = 20_000
const MIDNIGHT = TODAY * DAY
const NOON = MIDNIGHT + DAY / 2

function walk(slots: readonly number[], fromMs: number, toMs: number, baseDay = TODAY): SlotSample[] {
  const samples: SlotSample[] = []
  walkSpanSlots(slots, { fromMs, toMs, baseDay }, (sample) => samples.push(sample))
  return samples
}

/** `seconds after noon: calls`, with `end` where the series ends. */
function shown(samples: readonly SlotSample[], since = NOON): string[] {
  return samples.map(({ timeMs, since: first, upTo, hasBase, isStale }) => {
    const counted = isStale ? 'end' : `${upTo - first}${hasBase ? ' + base' : ''}`
    return `${(timeMs - since * 1000) / 1000}: ${counted}`
  })
}

describe('walkSpanSlots', () => {
  test('a sample before the first call, one at the end of each slot, none five minutes after the last call', () => {
    const samples = shown(walk([NOON, NOON + 10], (NOON - 600) * 1000, (NOON + 600) * 1000))
    expect(samples.slice(0, 4)).toEqual(['0: 0 + base', '10: 1 + base', '20: 2 + base', '30: 2 + base'])
    expect(samples.slice(-2)).toEqual(['320: 2 + base', '330: end'])
    expect(samples).toHaveLength(34)
  })

  test('a short pause is filled, a long one ends the series and begins it again with what it had', () => {
    const short = shown(walk([NOON, NOON + 310], (NOON - 600) * 1000, (NOON + 330) * 1000))
    expect(short).not.toContain('310: end')
    expect(short.slice(-4)).toEqual(['300: 1 + base', '310: 1 + base', '320: 2 + base', '330: 2 + base'])
    const long = shown(walk([NOON, NOON + 1000], (NOON - 600) * 1000, (NOON + 1010) * 1000))
    expect(long.slice(-4)).toEqual(['310: 1 + base', '320: end', '1000: 1 + base', '1010: 2 + base'])
  })

  test('only moments in the range; a slot that has not ended has no sample yet', () => {
    const samples = walk([NOON, NOON + 10], (NOON + 10) * 1000, (NOON + 19) * 1000)
    expect(samples).toEqual([])
    expect(shown(walk([NOON, NOON + 10], (NOON + 10) * 1000 - 1, (NOON + 20) * 1000))).toEqual([
      '10: 1 + base',
      '20: 2 + base',
    ])
  })

  test('at midnight the counter begins again, and is seen to do so', () => {
    const samples = walk(
      [MIDNIGHT - 20, MIDNIGHT - 10, MIDNIGHT, MIDNIGHT + 10],
      (MIDNIGHT - 30) * 1000,
      (MIDNIGHT + 30) * 1000,
      TODAY - 1,
    )
    expect(shown(samples, MIDNIGHT)).toEqual([
      '-20: 0 + base',
      '-10: 1 + base',
      '0: 2 + base',
      '0.001: 0',
      '10: 1',
      '20: 2',
      '30: 2',
    ])
  })

  test('also without calls on both sides of it', () => {
    const before = walk([MIDNIGHT - 40], (MIDNIGHT - 30) * 1000, (MIDNIGHT + 20) * 1000, TODAY - 1)
    expect(shown(before, MIDNIGHT).slice(-4)).toEqual(['0: 1 + base', '0.001: 0', '10: 0', '20: 0'])
    const after = walk([MIDNIGHT - 1000, MIDNIGHT], (MIDNIGHT - 30) * 1000, (MIDNIGHT + 10) * 1000, TODAY - 1)
    expect(shown(after, MIDNIGHT)).toEqual(['0: 0', '10: 1'])
  })

  test('what it says does not depend on where a read begins or ends', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 4000 }),
        (gaps, skip, length) => {
          let slot = MIDNIGHT - 3000
          const slots = gaps.map((gap) => {
            slot += gap * 10
            return slot
          })
          const total = ({ since, upTo, hasBase }: SlotSample, base: number) =>
            upTo - since + (hasBase ? base : 0)
          const whole = walk(slots, -1, Number.MAX_SAFE_INTEGER / 2000, TODAY - 1)
          const fromMs = (MIDNIGHT - 3000 + skip * 10) * 1000
          const toMs = fromMs + length * 1000
          const first = Math.floor((fromMs / 1000 - REACH_SECONDS) / 300) * 300
          const baseDay = Math.floor(first / DAY)
          const known = slots.filter((one) => one < first && Math.floor(one / DAY) === baseDay).length
          const part = walk(
            slots.filter((one) => one >= first),
            fromMs,
            toMs,
            baseDay,
          )
          const expected = whole.filter(({ timeMs }) => timeMs > fromMs && timeMs <= toMs)
          expect(part.map((one) => [one.timeMs, one.isStale, total(one, known)])).toEqual(
            expected.map((one) => [one.timeMs, one.isStale, total(one, 0)]),
          )
        },
      ),
      { numRuns: 300 },
    )
  })
})
