import { expect, test } from 'vitest'
import { inTurns } from './in-turns.ts'

test('results come in the order of the items, and only so many are worked on at once', async () => {
  let running = 0
  let most = 0
  const results = await inTurns([5, 1, 4, 2, 3], 2, async (item) => {
    running += 1
    most = Math.max(most, running)
    for (let i = 0; i < item; i += 1) await Promise.resolve()
    running -= 1
    return item * 10
  })
  expect(results).toEqual([50, 10, 40, 20, 30])
  expect(most).toBe(2)
  expect(await inTurns([], 2, () => Promise.reject(new Error('never')))).toEqual([])
})

test('after a failure no other item is begun', async () => {
  const begun: number[] = []
  const work = async (item: number) => {
    begun.push(item)
    if (item === 1) throw new Error('bad')
    for (let i = 0; i < 10; i += 1) await Promise.resolve()
  }
  await expect(inTurns([0, 1, 2, 3], 2, work)).rejects.toThrow('bad')
  for (let i = 0; i < 30; i += 1) await Promise.resolve()
  expect(begun).toEqual([0, 1])
})
