import { expect, test } from 'vitest'
import { createLabelSpread } from './label-spread.ts'

test('knows nothing of nothing', () => {
  expect(createLabelSpread().widest()).toBeNull()
})

test.each([10, 200, 5000, 200_000])('finds the label with the most values, of %d', (count) => {
  const spread = createLabelSpread()
  for (let index = 0; index < count; index++) {
    spread.add([
      ['method', ['GET', 'PUT'][index % 2] ?? ''],
      ['user_id', `user-${index}`],
      ['path', `/${index % 17}`],
    ])
  }
  const widest = spread.widest()
  expect(widest?.label).toBe('user_id')
  expect(Math.abs((widest?.values ?? 0) - count)).toBeLessThanOrEqual(count * 0.15)
})

test('keeps to 64 labels', () => {
  const spread = createLabelSpread()
  for (let index = 0; index < 1000; index++) spread.add([[`label-${index}`, 'x']])
  for (let index = 0; index < 1000; index++) spread.add([['late', `${index}`]])
  expect(spread.widest()?.values).toBe(1)
})
