import type { SampleToSend } from './encode-samples.ts'

/** Numbers of one request: a page may be far larger than a message. */
const MOST_NUMBERS = 5000
/** A native histogram has labels too: its buckets weigh less than samples. */
const BUCKETS_PER_NUMBER = 8

/** The samples in parts, each as large as a request should be: at most 5000, fewer where they are native histograms of many buckets. */
export function* splitSamples(
  samples: readonly SampleToSend[],
): Generator<readonly SampleToSend[], void, undefined> {
  let from = 0
  let numbers = 0
  for (const [at, { histogram }] of samples.entries()) {
    const buckets = (histogram?.positiveBuckets.length ?? 0) + (histogram?.negativeBuckets.length ?? 0)
    const own = 1 + Math.floor(buckets / BUCKETS_PER_NUMBER)
    if (numbers + own > MOST_NUMBERS && at > from) {
      yield samples.slice(from, at)
      from = at
      numbers = 0
    }
    numbers += own
  }
  if (from < samples.length) yield samples.slice(from)
}
