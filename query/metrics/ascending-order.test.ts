import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ascendingOrder } from './ascending-order.ts'

test.each<[number[], number[] | null]>([
  [[], null],
  [[5], null],
  [[1, 2, 3], null],
  [
    [1, 1, 2],
    [0, 1, 2],
  ],
  [
    [2, 1],
    [1, 0],
  ],
  [
    [1, 4, 9, 2, 4, 10, 3],
    [0, 3, 6, 1, 4, 2, 5],
  ],
])('%j', (times, expected) => {
  const order = ascendingOrder(times)
  expect(order === null ? null : [...order]).toEqual(expected)
})

test('is what a stable sort gives', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 50 }))), (runs) => {
      const times = runs.flatMap((run) => run.sort((a, b) => a - b))
      const expected = times
        .map((_, i) => i)
        .sort((a, b) => (times[a] as number) - (times[b] as number) || a - b)
      expect([...(ascendingOrder(times) ?? times.keys())]).toEqual(expected)
    }),
  )
})
