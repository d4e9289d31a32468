import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../test/support/seeded-random.ts'
import { accumulateDeltas, type DeltaRows, MAX_START_AGE_MS } from './accumulate-deltas.ts'
import { deltaDay, deltasFromMs } from './delta-day.ts'

const DAY_MS = 86_400_000
const MIDNIGHT = 20_000 * DAY_MS

interface Row {
  readonly timeMs: number
  readonly value: number
  readonly startMs: number
  readonly isStale: boolean
}

/** What a read of (fromMs, toMs] is given of rows: those up to ten minutes behind it, and the sum of what the day had before it. */
function readOf(rows: readonly Row[], fromMs: number, toMs: number): DeltaRows {
  const inside = rows.filter(({ timeMs }) => timeMs > fromMs && timeMs <= toMs + MAX_START_AGE_MS)
  const before = rows.filter(
    ({ timeMs, isStale }) => timeMs > deltasFromMs(fromMs) && timeMs <= fromMs && !isStale,
  )
  return {
    baseMs: fromMs,
    untilMs: toMs,
    nanos: inside.map(({ timeMs }) => (timeMs - fromMs) * 1e6),
    values: inside.map(({ value }) => value),
    starts: inside.map(({ startMs }) => startMs),
    stale: inside.map(({ isStale }) => (isStale ? 1 : 0)),
    isEndless: false,
    base: before.length === 0 ? null : before.reduce((sum, { value }) => sum + value, 0),
  }
}

/** Samples as `time: value`, times after midnight. */
function shown(rows: readonly Row[], fromMs: number, toMs: number): string[] {
  const { times, values, stale, baseMs } = accumulateDeltas([readOf(rows, fromMs, toMs)])
  return Array.from(times, (time, i) => {
    return `${time + baseMs - MIDNIGHT}: ${stale?.[i] === 1 ? 'end' : values[i]}`
  })
}

const row = (afterMidnightMs: number, value: number, lengthMs = 0): Row => ({
  timeMs: MIDNIGHT + afterMidnightMs,
  value,
  startMs: lengthMs === 0 ? 0 : MIDNIGHT + afterMidnightMs - lengthMs,
  isStale: false,
})

describe('differences', () => {
  test('count since midnight, and a 0 stands before the first one of a day', () => {
    const rows = [row(-20_000, 5, 10_000), row(-10_000, 2, 10_000), row(0, 1, 10_000), row(10_000, 9, 10_000)]
    expect(shown(rows, MIDNIGHT - 60_000, MIDNIGHT + 60_000)).toEqual([
      '-30000: 0',
      '-20000: 5',
      '-10000: 7',
      '0: 8',
      '1: 0',
      '10000: 9',
    ])
  })

  test('whose beginning is not told, or lies too far back, count from a millisecond before', () => {
    const rows = [row(60_000, 3), row(70_000, 4), row(DAY_MS + 7_200_000, 5, 3_600_000)]
    expect(shown(rows, MIDNIGHT, MIDNIGHT + 2 * DAY_MS)).toEqual([
      '59999: 0',
      '60000: 3',
      '70000: 7',
      `${DAY_MS + 7_199_999}: 0`,
      `${DAY_MS + 7_200_000}: 5`,
    ])
  })

  test('that go up and down are a level, which goes on over midnight', () => {
    const read = readOf([row(-60_000, 3), row(0, 2), row(60_000, -1)], MIDNIGHT - DAY_MS, MIDNIGHT + DAY_MS)
    const { times, values } = accumulateDeltas([{ ...read, isEndless: true, base: 10 }])
    expect(Array.from(times).map((time) => time - DAY_MS)).toEqual([-60_000, 0, 60_000])
    expect(Array.from(values)).toEqual([13, 15, 14])
  })

  test('are increases to Prometheus, every one of them, wherever a read begins or ends', () => {
    const random = seededRandom(5)
    for (let round = 0; round < 2000; round += 1) {
      const rows: Row[] = []
      let timeMs = MIDNIGHT - 2 * DAY_MS + random.below(3 * DAY_MS)
      const firstMs = timeMs
      for (let i = 0; i < 12; i += 1) {
        const lengthMs = 3 + random.below(random.pick([10, 60_000, 900_000, DAY_MS]))
        timeMs += lengthMs
        // The millisecond behind midnight is taken.
        if (timeMs === Math.floor(timeMs / DAY_MS) * DAY_MS + 1) timeMs += 1
        const startMs = random.below(3) === 0 ? 0 : timeMs - lengthMs + random.below(3)
        rows.push({ timeMs, value: random.below(4), startMs, isStale: random.below(9) === 0 })
      }
      const all = samplesOf(rows, firstMs - DAY_MS, timeMs + DAY_MS)
      let increase = 0
      let before = 0
      for (const { value, isStale } of all) {
        if (isStale) continue
        increase += value < before ? value : value - before
        before = value
      }
      expect(increase).toBe(rows.reduce((sum, { value, isStale }) => sum + (isStale ? 0 : value), 0))
      const fromMs = firstMs + random.below(timeMs - firstMs)
      const toMs = fromMs + random.below(timeMs - fromMs + 1000)
      expect(samplesOf(rows, fromMs, toMs)).toEqual(
        all.filter((sample) => sample.timeMs > fromMs && sample.timeMs <= toMs),
      )
    }
  })
})

function samplesOf(rows: readonly Row[], fromMs: number, toMs: number) {
  const { times, values, stale, baseMs } = accumulateDeltas([readOf(rows, fromMs, toMs)])
  return Array.from(times, (time, i) => ({
    timeMs: time + baseMs,
    value: values[i] as number,
    isStale: stale?.[i] === 1,
  }))
}

test('a day of differences ends with midnight', () => {
  expect([MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1].map(deltaDay)).toEqual([19_999, 19_999, 20_000])
  expect(deltasFromMs(MIDNIGHT)).toBe(MIDNIGHT)
  expect(deltasFromMs(MIDNIGHT - 1)).toBe(MIDNIGHT - DAY_MS)
  expect(deltasFromMs(-1)).toBe(-1)
})
