import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../../runtime/errors.ts'
import type { GridSeries } from './grid.ts'
import { readCounts, selectFromGroups } from './select-from-groups.ts'

const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(Number.NaN, Infinity, -Infinity))

function seriesOf(n: number, value: number | null): GridSeries {
  return {
    labels: ['n', String(n)],
    dropName: false,
    values: Float64Array.of(value ?? 0),
    present: Uint8Array.of(value === null ? 0 : 1),
    histograms: null,
  }
}

test.each(['topk', 'bottomk'] as const)(
  '%s is the beginning of all in order, whatever their number',
  (op) => {
    fc.assert(
      fc.property(
        fc.array(fc.option(number), { maxLength: 150 }),
        fc.integer({ min: 0, max: 160 }),
        (values, count) => {
          const members = values.map((value, n) => seriesOf(n, value))
          const group = { labels: [], dropName: false, members }
          const grid = { startMs: 0, stepMs: 1, count: 1 }
          const chosen = selectFromGroups(op, [group], grid, Float64Array.of(count))
          const sign = op === 'topk' ? -1 : 1
          const ordered = members
            .filter(({ present }) => present[0] === 1)
            .sort(({ values: [a = 0] }, { values: [b = 0] }) => {
              if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
              return a === b ? 0 : sign * (a < b ? -1 : 1)
            })
          expect(chosen.map(({ labels }) => labels[1])).toEqual(
            ordered.slice(0, count).map(({ labels }) => labels[1]),
          )
        },
      ),
    )
  },
)

test('moments choose for themselves', () => {
  const members = [
    [1, 5],
    [2, 4],
    [3, 3],
  ].map((values, n) => ({
    ...seriesOf(n, 0),
    values: Float64Array.from(values),
    present: Uint8Array.of(1, 1),
  }))
  const group = { labels: [], dropName: false, members }
  const grid = { startMs: 0, stepMs: 1, count: 2 }
  const chosen = selectFromGroups('topk', [group], grid, Float64Array.of(1, 2))
  expect(chosen.map(({ labels, present }) => [labels[1], ...present])).toEqual([
    ['0', 0, 1],
    ['1', 0, 1],
    ['2', 1, 0],
  ])
})

test.each<[string, number[], string | null]>([
  ['nothing is looked at where nothing is kept', [0, -Infinity], null],
  ['no number', [1, Number.NaN], 'Parameter value is NaN'],
  ['no number among nothings', [0, Number.NaN], 'Parameter value is NaN'],
  ['too many', [1e19], 'Scalar value 1e+19 overflows int64'],
  ['too few beside some', [1, -1e19], 'Scalar value -1e+19 underflows int64'],
])('%s', (_, counts, message) => {
  const read = () => readCounts(Float64Array.from(counts))
  if (message === null) expect([...read()]).toEqual(counts.map(() => 0))
  else {
    expect(read).toThrow(AppError)
    expect(read).toThrow(message)
  }
})
