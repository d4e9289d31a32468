import { expect, test } from 'vitest'
import { createByteBudget } from './byte-budget.ts'

test('requests share the budget, and what is given back can be taken again', () => {
  const budget = createByteBudget(100)
  const first = budget.lease()
  const second = budget.lease()
  expect(first.take(60)).toBe(true)
  expect(second.take(40)).toBe(true)
  expect(second.take(1)).toBe(false)
  expect(budget.used).toBe(100)
  first.release()
  first.release()
  expect(budget.used).toBe(40)
  expect(second.take(60)).toBe(true)
})

test('a request that is alone gets what it asks for', () => {
  const budget = createByteBudget(100)
  const alone = budget.lease()
  expect(alone.take(90)).toBe(true)
  expect(alone.take(90)).toBe(true)
  expect(budget.lease().take(1)).toBe(false)
})
