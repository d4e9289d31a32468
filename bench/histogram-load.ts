import { EMPTY_HISTOGRAM, type FloatHistogram } from '../model/float-histogram.ts'
import { populatedOf, spansOf } from '../model/histogram/bucket-side.ts'
import { encodeWriteRequest, type SentSeries } from '../test/support/encode-write-request.ts'
import { mulberry32 } from './mesh-spans.ts'
import { type MetricLoad, SCRAPE_MS } from './metric-load.ts'

const SERIES_PER_MESSAGE = 100
/** Buckets that latencies of one series fall into, at schema 3: a factor of eight from the lowest to the highest. */
const BUCKETS = 24
const SCHEMA = 3
const ZERO_THRESHOLD = 2 ** -128

/** Series of native histograms that grow from one slice of time to the next: `NAME{job,instance}`, latencies around a middle of their own. */
export function createHistogramLoad(name: string, series: number, seed = 20_261_120): MetricLoad {
  const random = mulberry32(seed)
  const all = Array.from({ length: series }, (_, number) => createGrowing(name, number, random))
  return {
    names: [name],
    *slice(fromMs, toMs) {
      for (let first = 0; first < all.length; first += SERIES_PER_MESSAGE) {
        const sent = all.slice(first, first + SERIES_PER_MESSAGE).map((one) => one.next(fromMs, toMs))
        const samples = sent.reduce((sum, one) => sum + one.samples.length, 0)
        yield { body: encodeWriteRequest(sent, 1), samples }
      }
    },
  }
}

function createGrowing(name: string, number: number, random: () => number) {
  const counts = new Float64Array(BUCKETS)
  const lowest = Math.floor(random() * 16) - 30
  const phaseMs = Math.floor(random() * SCRAPE_MS)
  const shares = counts.map((_, bucket) => Math.exp(-((bucket - BUCKETS / 2) ** 2) / 20))
  let sum = 0
  const observe = () => {
    for (const [bucket, share] of shares.entries()) {
      if (random() > share) continue
      const more = Math.floor(random() * 100 * share)
      counts[bucket] = (counts[bucket] ?? 0) + more
      sum += more * 2 ** ((lowest + bucket) / 2 ** SCHEMA)
    }
  }
  const labels = ['__name__', name, 'instance', `10.0.${number}.7:9090`, 'job', `job-${number % 10}`]
  return {
    next(fromMs: number, toMs: number): SentSeries {
      const samples: SentSeries['samples'][number][] = []
      for (let timeMs = fromMs - (fromMs % SCRAPE_MS) + phaseMs; timeMs < toMs; timeMs += SCRAPE_MS) {
        if (timeMs < fromMs) continue
        observe()
        samples.push({ timestampMs: timeMs, isInteger: true, histogram: toHistogram(counts, lowest, sum) })
      }
      return { labels, samples }
    },
  }
}

function toHistogram(counts: Float64Array, lowest: number, sum: number): FloatHistogram {
  const all = { indexes: Array.from(counts, (_, bucket) => lowest + bucket), counts: [...counts] }
  const { indexes, counts: buckets } = populatedOf(all)
  return {
    ...EMPTY_HISTOGRAM,
    schema: SCHEMA,
    zeroThreshold: ZERO_THRESHOLD,
    count: buckets.reduce((total, count) => total + count, 0),
    sum,
    positiveSpans: spansOf(indexes),
    positiveBuckets: buckets,
  }
}
