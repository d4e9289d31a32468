import { mulberry32 } from './mesh-spans.ts'

/** Series that are loaded together. */
export interface MetricSet {
  readonly name: string
  readonly series: number
  /** When its first sample is, epoch milliseconds. */
  readonly fromMs: number
}

/** One message of remote write 1.0, not compressed. */
export interface LoadMessage {
  readonly body: Uint8Array
  readonly samples: number
}

/** How often every series has a sample. */
export const SCRAPE_MS = 15_000

const SERIES_PER_MESSAGE = 1_000
/** Upper bounds of the buckets of `latency_seconds_bucket`; 20,000 series are 1,000 histograms. */
const BOUNDS = [
  ...['0.001', '0.0025', '0.005', '0.01', '0.02', '0.03', '0.05', '0.075', '0.1', '0.15'],
  ...['0.25', '0.35', '0.5', '0.75', '1', '1.5', '2.5', '5', '10', '+Inf'],
]
/** Tag and length of the message, of its value, and tag of its time: a sample of remote write takes 18 bytes. */
const SAMPLE_BYTES = 18

/** Series that grow from one slice of time to the next; their counters remember where they stand. */
export interface MetricLoad {
  /** Messages with every sample at or after `fromMs` and before `toMs`; slices must follow each other. */
  slice(fromMs: number, toMs: number): Generator<LoadMessage>
  /** Labels of one series of a set, as in its messages. */
  readonly names: readonly string[]
}

/**
 * Counters as proxies have them: `NAME{job,instance,code}` grows by a different random number at each scrape and is reset now and then, and
 * `NAME_bucket{service,instance,le}` is a cumulative histogram. Instances are scraped at times of their own; one scrape in ten is some
 * milliseconds off. The same seed gives the same load.
 */
export function createMetricLoad(sets: readonly MetricSet[], seed = 20_261_120): MetricLoad {
  const random = mulberry32(seed)
  const groups = sets.flatMap((set) => seriesGroups(set, random))
  return {
    names: sets.map(({ name }) => name),
    *slice(fromMs, toMs) {
      let parts: Uint8Array[] = []
      let series = 0
      let samples = 0
      for (const group of groups) {
        const times = timesOf(group, fromMs, toMs, random)
        if (times.length === 0) continue
        const values = times.map(() => group.next())
        for (const [index, labels] of group.labels.entries()) {
          parts.push(encodeSeries(labels, times, (at) => values[at]?.[index] ?? 0))
        }
        series += group.labels.length
        samples += group.labels.length * times.length
        if (series < SERIES_PER_MESSAGE) continue
        yield { body: Buffer.concat(parts), samples }
        parts = []
        series = 0
        samples = 0
      }
      if (series > 0) yield { body: Buffer.concat(parts), samples }
    },
  }
}

/** Series that are scraped together. */
interface SeriesGroup {
  readonly labels: readonly Uint8Array[]
  readonly fromMs: number
  readonly phaseMs: number
  /** The next value of each of them. */
  next(): Float64Array
}

function seriesGroups(set: MetricSet, random: () => number): SeriesGroup[] {
  const isHistogram = set.name.endsWith('_bucket')
  const perGroup = isHistogram ? BOUNDS.length : 10
  return Array.from({ length: Math.ceil(set.series / perGroup) }, (_, group) => {
    const instance = `10.${group >> 8}.${group & 255}.7:9090`
    const values = new Float64Array(perGroup)
    const speed = 1 + 200 * random() ** 3
    const own = Float64Array.from({ length: perGroup }, () => random())
    return {
      fromMs: set.fromMs,
      phaseMs: Math.floor(random() * SCRAPE_MS),
      labels: Array.from({ length: perGroup }, (_, index) =>
        encodeLabels(
          isHistogram
            ? { __name__: set.name, instance, le: BOUNDS[index] ?? '', service: `service-${group % 40}` }
            : { __name__: set.name, code: String(200 + index), instance, job: `job-${group % 20}` },
        ),
      ),
      next: isHistogram
        ? () => {
            let seen = 0
            return values.map((value, index) => {
              seen += Math.floor(random() * speed * (own[index] ?? 0))
              values[index] = value + seen
              return value + seen
            })
          }
        : () => {
            // A restart resets every counter of an instance.
            if (random() < 0.0005) values.fill(0)
            for (let index = 0; index < perGroup; index++) {
              values[index] = (values[index] ?? 0) + Math.floor(random() * speed * (own[index] ?? 0) * 15)
            }
            return values.slice()
          },
    }
  })
}

function timesOf(group: SeriesGroup, fromMs: number, toMs: number, random: () => number): number[] {
  const times: number[] = []
  const first = Math.max(fromMs, group.fromMs)
  const begin = first - (first % SCRAPE_MS) + group.phaseMs
  for (let time = begin < first ? begin + SCRAPE_MS : begin; time < toMs; time += SCRAPE_MS) {
    const offMs = random() < 0.1 ? Math.floor(random() * 20) : 0
    times.push(Math.min(time + offMs, toMs - 1))
  }
  return times
}

function encodeLabels(labels: Readonly<Record<string, string>>): Uint8Array {
  return Buffer.concat(
    Object.entries(labels).map(([name, value]) => {
      const field = (tag: number, text: string) => [tag, text.length, ...Buffer.from(text)]
      const inner = [...field(0x0a, name), ...field(0x12, value)]
      return Uint8Array.from([0x0a, inner.length, ...inner])
    }),
  )
}

function encodeSeries(
  labels: Uint8Array,
  times: readonly number[],
  value: (index: number) => number,
): Uint8Array {
  const length = labels.length + times.length * SAMPLE_BYTES
  const bytes = Buffer.alloc(length + 4)
  let at = 0
  bytes[at++] = 0x0a
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    bytes[at++] = rest > 127 ? (rest % 128) + 128 : rest
    if (rest <= 127) break
  }
  bytes.set(labels, at)
  at += labels.length
  for (const [index, time] of times.entries()) {
    bytes[at++] = 0x12
    bytes[at++] = SAMPLE_BYTES - 2
    bytes[at++] = 0x09
    at = bytes.writeDoubleLE(value(index), at)
    bytes[at++] = 0x10
    // Times of this century take six bytes.
    let rest = time
    for (let byte = 0; byte < 5; byte++) {
      bytes[at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    bytes[at++] = rest
  }
  return bytes.subarray(0, at)
}
