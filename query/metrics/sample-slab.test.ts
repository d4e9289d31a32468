import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SeriesSamples } from './order-stretches.ts'
import { createSampleSlab, type SampleSlab } from './sample-slab.ts'

type Sample = readonly [timeMs: number, value: number, stale: number]

function samplesOf(list: readonly Sample[]): SeriesSamples {
  const isStale = list.some(([, , stale]) => stale === 1)
  return {
    timestamps: Float64Array.from(list, ([time]) => time),
    values: Float64Array.from(list, ([, value]) => value),
    stale: isStale ? Uint8Array.from(list, ([, , stale]) => stale) : null,
  }
}

const listOf = ({ timestamps, values, stale }: SeriesSamples): Sample[] =>
  Array.from(timestamps, (time, i) => [time, values[i] as number, stale?.[i] ?? 0])

const list = fc
  .uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom(1, 2, Number.NaN), fc.constantFrom(0, 0, 0, 1)),
    { selector: ([time]) => time, maxLength: 12 },
  )
  .map((all) => all.toSorted((a, b) => a[0] - b[0]))

const IDS = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string]

const bytesOf = (ids: readonly string[]) => Uint8Array.from(Buffer.from(ids.join(''), 'hex'))

/** Appends the series that have one number after a time all at once; gives the ids of those that were taken. */
function appended(
  slab: SampleSlab,
  afterMs: number,
  series: Readonly<Record<string, readonly Sample[]>>,
): Set<string> {
  const rows = Object.entries(series).flatMap(([id, all]) => {
    const own = all.filter(([time]) => time > afterMs)
    const [only] = own
    return own.length === 1 && only?.[2] === 0 ? [{ id, timeMs: only[0], value: only[1] }] : []
  })
  const left = slab.appendRows(
    bytesOf(rows.map(({ id }) => id)),
    afterMs,
    rows.map(({ timeMs }) => timeMs - afterMs),
    rows.map(({ value }) => value),
  )
  return new Set(rows.filter((_, row) => left?.includes(row) === false).map(({ id }) => id))
}

describe('samples with room behind them', () => {
  test('are those that the last answers say, and what was given stays as it was', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: -1, max: 60 }),
      series: fc.dictionary(fc.constantFrom(...IDS), list),
      isInRows: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 0, max: 200 }), (steps, untilMs) => {
        const slab = createSampleSlab(untilMs)
        const model = new Map<string, Sample[]>()
        const given: { samples: SeriesSamples; copy: Sample[] }[] = []
        for (const { afterMs, series, isInRows } of steps) {
          const ids = new Set<string>()
          const taken = isInRows ? appended(slab, afterMs, series) : new Set<string>()
          for (const [id, all] of Object.entries(series)) {
            const own = all.filter(([time]) => time > afterMs)
            if (own.length === 0) continue
            ids.add(id)
            const [timeMs, value, stale] = own[0] as Sample
            const isPlain = own.length === 1 && stale === 0
            if (!taken.has(id) && (!isPlain || !slab.append(id, afterMs, timeMs, value))) {
              slab.replaceAfter(id, afterMs, samplesOf(own))
            }
            model.set(id, [...(model.get(id) ?? []).filter(([time]) => time <= afterMs), ...own])
          }
          slab.cutOthers(ids, afterMs)
          for (const [id, all] of model) {
            if (!ids.has(id))
              model.set(
                id,
                all.filter(([time]) => time <= afterMs),
              )
          }
          for (const id of IDS) {
            const expected = (model.get(id) ?? []).filter(([time]) => time > 10 && time <= 50)
            const found = slab.get(id, 10, 50)
            expect(found === null ? [] : listOf(found)).toEqual(expected)
            if (found !== null) given.push({ samples: found, copy: expected })
          }
          expect(slab.copy(10, 50, 70).get(IDS[0], -1, 100)).toEqual(slab.get(IDS[0], 10, 50))
          for (const { samples, copy } of given) expect(listOf(samples)).toEqual(copy)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('two rows of one series are not taken', () => {
    const slab = createSampleSlab(100)
    for (const id of IDS) slab.replaceAfter(id, -1, samplesOf([[1, 1, 0]]))
    const rows = bytesOf([IDS[0], IDS[1], IDS[1]])
    expect(slab.appendRows(rows, 1, [1, 1, 2], [7, 8, 9])).toBeNull()
    expect(slab.get(IDS[0], 1, 100)).toBeNull()
    // Nor NaN, which may be a mark, and what nothing is known of.
    const others = bytesOf([IDS[0], IDS[1], 'd'.repeat(32)])
    expect(slab.appendRows(others, 1, [1, 1, 1], [7, Number.NaN, 9])).toEqual([1, 2])
    expect(listOf(slab.get(IDS[0], 1, 100) as SeriesSamples)).toEqual([[2, 7, 0]])
  })

  test('take no memory as long as there is room', () => {
    const slab = createSampleSlab(11)
    slab.replaceAfter('a', -10, samplesOf(Array.from({ length: 11 }, (_, i) => [i - 9, 1, 0] as const)))
    const before = slab.capacity
    for (let time = 2; time < 12; time += 1) {
      // As read again: the last one that is known, and one more.
      slab.replaceAfter(
        'a',
        time - 2,
        samplesOf([
          [time - 1, time - 1, 0],
          [time, time, 0],
        ]),
      )
    }
    expect(slab.capacity).toBe(before)
    slab.replaceAfter('a', 11, samplesOf([12, 13, 14, 15].map((time) => [time, 1, 0] as const)))
    expect(slab.capacity).toBeGreaterThan(before)
  })
})
