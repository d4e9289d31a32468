import { describe, expect, test } from 'vitest'
import { createRatioOffset } from './ratio-offset.ts'

describe('the place of labels between 0 and 1', () => {
  test('is their hash, as a share of the greatest', async () => {
    const offsetOf = await createRatioOffset()
    const xxHash64OfNothing = 0xef46db3751d8e999n
    expect(offsetOf([])).toBe(Number(xxHash64OfNothing) / 2 ** 64)
  })

  test('is always the same, and another of other labels', async () => {
    const [one, other] = await Promise.all([createRatioOffset(), createRatioOffset()])
    expect(one(['a', 'bc'])).toBe(other(['a', 'bc']))
    const labels = [
      ['a', 'bc'],
      ['ab', 'c'],
      ['a', ''],
      ['é', 'x'],
      ['a', 'x'.repeat(300)],
      ['a', 'x'.repeat(301)],
    ]
    expect(new Set(labels.map(one)).size).toBe(labels.length)
  })

  test('is spread evenly', async () => {
    const offsetOf = await createRatioOffset()
    const tenths = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i += 1) {
      const tenth = Math.floor(offsetOf(['instance', `host-${i}`]) * 10)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})
