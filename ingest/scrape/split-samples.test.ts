import { expect, test } from 'vitest'
import { EMPTY_HISTOGRAM } from '../../model/float-histogram.ts'
import { endOf, type SampleToSend } from './encode-samples.ts'
import { splitSamples } from './split-samples.ts'

const sizes = (samples: readonly SampleToSend[]) => {
  const parts = [...splitSamples(samples)]
  expect(parts.flat()).toEqual(samples)
  return parts.map((part) => part.length)
}
const plain = (count: number) => Array.from({ length: count }, (_, at) => endOf([], at))
const histogram = (buckets: number): SampleToSend => ({
  ...endOf([], 0),
  value: 0,
  histogram: { ...EMPTY_HISTOGRAM, positiveBuckets: Array(buckets).fill(1), isInteger: true },
})

test('samples stand in requests of 5000, histograms count by their buckets', () => {
  expect(sizes([])).toEqual([])
  expect(sizes(plain(5000))).toEqual([5000])
  expect(sizes(plain(10_001))).toEqual([5000, 5000, 1])
  expect(sizes([...plain(4000), histogram(7992), ...plain(1)])).toEqual([4001, 1])
  expect(sizes([...plain(4000), histogram(8000), ...plain(1)])).toEqual([4000, 2])
  expect(sizes([histogram(65_536), histogram(65_536)])).toEqual([1, 1])
})
