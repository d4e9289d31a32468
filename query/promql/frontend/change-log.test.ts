import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { createChangeLog } from './change-log.ts'

describe('the earliest time that has changed', () => {
  test('is that of the changes behind a generation', () => {
    const log = createChangeLog()
    expect(log.changedSince(log.generation(), 'a', ['samples'])).toBe(Number.POSITIVE_INFINITY)
    const first = log.generation()
    log.note('samples', ['a', 'b'], 100)
    const second = log.generation()
    log.note('samples', ['b'], 50)
    log.note('spans', ['a'], 10)
    expect(log.changedSince(first, 'a', ['samples'])).toBe(100)
    expect(log.changedSince(first, 'b', ['samples'])).toBe(50)
    expect(log.changedSince(second, 'a', ['samples'])).toBe(Number.POSITIVE_INFINITY)
    expect(log.changedSince(second, 'a', ['samples', 'spans'])).toBe(10)
    log.note('samples', null, -1)
    expect(log.changedSince(second, 'c', ['samples'])).toBe(-1)
  })

  test('is never later than it was, however few changes are remembered', () => {
    const random = seededRandom(5)
    const log = createChangeLog(8)
    const changes: { readonly generation: number; readonly fromMs: number }[] = []
    let exact = 0
    for (let round = 0; round < 2000; round += 1) {
      const fromMs = round * 10 - (random.below(20) === 0 ? random.below(5000) : random.below(30))
      log.note('samples', ['a'], fromMs)
      changes.push({ generation: log.generation(), fromMs })
      const since = Math.max(0, log.generation() - random.below(200))
      const real = Math.min(
        ...changes.filter((change) => change.generation > since).map((change) => change.fromMs),
      )
      const told = log.changedSince(since, 'a', ['samples'])
      expect(told).toBeLessThanOrEqual(real)
      if (told === real) exact += 1
    }
    expect(exact).toBeGreaterThan(100)
  })

  test('is unknown of what was before there were too many tenants', () => {
    const log = createChangeLog(100, 3)
    for (const tenant of ['a', 'b', 'c', 'd', 'e', 'f']) log.note('samples', [tenant], 5)
    const before = log.generation()
    log.note('samples', ['g'], 7)
    expect(log.changedSince(before, 'a', ['samples'])).toBe(Number.NEGATIVE_INFINITY)
    const after = log.generation()
    log.note('samples', ['a'], 9)
    expect(log.changedSince(after, 'a', ['samples'])).toBe(9)
  })
})
