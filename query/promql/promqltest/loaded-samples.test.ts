import { describe, expect, test } from 'vitest'
import { type LoadOptions, loadedSamples } from './loaded-samples.ts'
import { parseLoad } from './parse-load.ts'

function load(lines: string[], options: LoadOptions) {
  return loadedSamples(parseLoad(lines.map((text, index) => ({ line: index + 1, text }))), options)
}

describe('loaded samples', () => {
  test('stand one step apart, from the beginning on', () => {
    const samples = load(['up 1 _ 3 stale'], { startMs: 5_000, stepMs: 1_000 })
    expect(samples.map(({ timestampMs, value, isStale }) => [timestampMs, value, isStale])).toEqual([
      [5_000, 1, false],
      [7_000, 3, false],
      [8_000, Number.NaN, true],
    ])
  })

  test('know when their counter began, if it is told', () => {
    const samples = load(['up@st -1s _ 0s', 'up 1 2 3', 'down 1'], { startMs: 5_000, stepMs: 1_000 })
    expect(samples.map(({ startMs }) => startMs)).toEqual([4_000, 0, 7_000, 0])
  })

  test('have histograms with the hints of storage', () => {
    const samples = load(['h {{count:1 buckets:[1]}} {{count:2 buckets:[2]}}'], { stepMs: 1 })
    expect(samples.map(({ value, histogram }) => [value, histogram?.counterResetHint])).toEqual([
      [Number.NaN, 'unknown'],
      [Number.NaN, 'not_reset'],
    ])
  })

  test('are those of the last description of a series', () => {
    const samples = load(['up{a="1"} 1 2', 'up 7', 'up{a="1"} 3'], { stepMs: 1 })
    expect(samples.map(({ value }) => value)).toEqual([3, 7])
  })

  test('are native histograms besides, when asked', () => {
    const lines = ['h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 2']
    expect(load(lines, { stepMs: 1 })).toHaveLength(2)
    const samples = load(lines, { stepMs: 1, withCustomBuckets: true })
    expect(samples).toHaveLength(3)
    expect(samples[2]).toMatchObject({ labels: ['__name__', 'h'], histogram: { count: 2 }, startMs: 0 })
  })
})
