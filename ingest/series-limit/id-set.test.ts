import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createIdSet } from './id-set.ts'

test('holds what a set of texts holds, whatever is added and removed', () => {
  // Few different halves: many ids want the same place.
  const half = fc.constantFrom(0, 1, 2, 63, 64, 65, 0x7fffffff, 0x80000000, 0xffffffff)
  const step = fc.record({ low: half, high: half, isAdded: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ids = createIdSet()
      const naive = new Set<string>()
      for (const { low, high, isAdded } of steps) {
        const key = `${low} ${high}`
        expect(ids.has(low, high)).toBe(naive.has(key))
        if (isAdded) {
          expect(ids.add(low, high)).toBe(!naive.has(key))
          naive.add(key)
        } else expect(ids.remove(low, high)).toBe(naive.delete(key))
        expect(ids.size()).toBe(naive.size)
      }
    }),
  )
})

test('grows', () => {
  const ids = createIdSet()
  const low = (index: number) => Math.imul(index, 0x9e3779b1) >>> 0
  for (let index = 0; index < 10_000; index++) expect(ids.add(low(index), index)).toBe(true)
  expect(ids.size()).toBe(10_000)
  for (let index = 0; index < 20_000; index++) expect(ids.has(low(index), index)).toBe(index < 10_000)
})
