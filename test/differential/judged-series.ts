import { type Labels, labelsFrom } from '../../model/labels.ts'
import type { SeededRandom } from '../support/seeded-random.ts'

/** One sample of a judged series. */
export interface JudgedSample {
  /** Epoch milliseconds, 1 modulo 10. */
  readonly timestampMs: number
  readonly value: number
  /** The sample only says that the series has ended. */
  readonly isStale?: boolean
}

/** A series that both are given. */
export interface JudgedSeries {
  readonly labels: Labels
  /** Ascending. */
  readonly samples: readonly JudgedSample[]
}

/** Where the series stand in time, epoch milliseconds. Both are whole minutes; every sample lies between them. */
export interface JudgedRange {
  readonly startMs: number
  readonly endMs: number
}

/** The value of a series at scrape `index` of `count`; null: none there, 'stale': it ends there. */
type Shape = (index: number, count: number) => number | null | 'stale'

/** Every series has a sample in each interval of that length. */
export const SCRAPE_MS = 15_000
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  api: ['a:80', 'b:80', 'c:80'],
  web: ['a:80', 'd:8080', 'e:8080'],
  db: ['f:5432', 'g:5432'],
  batch: ['h:0'],
}
const LE = ['0.005', '0.05', '0.1', '0.5', '1', '2.5', '+Inf']

/**
 * Series of every kind that a Prometheus meets: counters that are reset, gauges, histograms, infos, gaps, ends, irregular times, NaN and
 * infinite values, labels with odd characters. Equal seeds give equal series. Sample times are 1 modulo 10 milliseconds, so that no window of a query
 * at 7 modulo 10 begins or ends on a sample.
 * Where scrapes may come late, without resets: small values behind a gap are what versions 2 and 3 extrapolate differently to the left.
 */
export function judgedSeries(
  random: SeededRandom,
  range: JudgedRange,
  { hasResets = true }: { readonly hasResets?: boolean } = {},
): JudgedSeries[] {
  const all: JudgedSeries[] = []
  const add = (name: string, labels: Record<string, string>, shape: Shape, jitterMs = 0) => {
    all.push({
      labels: labelsFrom([['__name__', name], ...Object.entries(labels)]),
      samples: sampled(random, range, shape, jitterMs),
    })
  }
  for (const [job, instances] of Object.entries(SERVICES)) {
    for (const instance of instances) {
      const origin = { job, instance }
      add('up', origin, () => (random.below(12) === 0 ? 0 : 1))
      add('build_info', { ...origin, version: random.pick(['1.4', '1.5']), commit: hex(random) }, () => 1)
      for (const code of ['200', '404', '500']) {
        add(
          'requests_total',
          { ...origin, code, method: random.pick(['GET', 'POST']) },
          counter(random, hasResets),
        )
      }
      add('temperature_celsius', { ...origin, zone: random.pick(['eu-1', 'eu-2', 'us']) }, gauge(random, 20))
      add('queue_length', origin, integerGauge(random))
      add('intermittent', origin, intermittent(random))
      add('irregular', origin, gauge(random, 3), 4_500)
      addHistogram(random, range, all, origin)
    }
    add('connection_limit', { job }, () => 50)
    add(
      'bytes_total',
      { job, path: `/${job}/"x" \\d+ ü`, device: `eth${random.below(2)}` },
      counter(random, hasResets),
    )
  }
  add('weird', { kind: 'nan' }, () => Number.NaN)
  add('weird', { kind: 'inf' }, () => Number.POSITIVE_INFINITY)
  add('weird', { kind: 'minus-inf' }, () => Number.NEGATIVE_INFINITY)
  add('weird', { kind: 'mixed' }, () =>
    random.pick([Number.NaN, 1, 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 3]),
  )
  add('weird', { kind: 'some-nan' }, (index) => (index % 7 < 3 ? Number.NaN : index))
  add('weird', { kind: 'huge' }, (index) => 1e300 * (index % 5))
  add('weird', { kind: 'tiny' }, (index) => 1e-300 * (index % 5))
  add('weird', { kind: 'zero' }, (index) => (index % 2 === 0 ? 0 : -0))
  add('ended', { part: 'first' }, (index, count) =>
    index < count / 2 ? index : index - 1 < count / 2 ? 'stale' : null,
  )
  add('ended', { part: 'second' }, (index, count) => (index < count / 2 ? null : index))
  add('seldom', { job: 'cron' }, (index) => (index % 16 === 0 ? index : null))
  add('once', { job: 'cron' }, (index, count) => (index === count >> 1 ? 42 : null))
  add('born', { job: 'late' }, (index, count) =>
    index < count * 0.6 ? null : (index - Math.ceil(count * 0.6)) * 8,
  )
  return all
}

function sampled(random: SeededRandom, range: JudgedRange, shape: Shape, jitterMs: number): JudgedSample[] {
  const count = Math.floor((range.endMs - range.startMs) / SCRAPE_MS)
  // Each target is scraped at a moment of its own in the interval, as Prometheus does it.
  const phaseMs = 10 * random.below((SCRAPE_MS - jitterMs) / 10) + 1
  const samples: JudgedSample[] = []
  for (let index = 0; index < count; index++) {
    const value = shape(index, count)
    const lateMs = jitterMs === 0 ? 0 : 10 * random.below(jitterMs / 10)
    if (value === null) continue
    const timestampMs = range.startMs + index * SCRAPE_MS + phaseMs + lateMs
    samples.push(
      value === 'stale' ? { timestampMs, value: Number.NaN, isStale: true } : { timestampMs, value },
    )
  }
  return samples
}

/** Grows by whole numbers, is reset to 0 now and then. */
function counter(random: SeededRandom, hasResets: boolean): Shape {
  const most = random.pick([3, 40, 1000])
  const resetEvery = random.pick([50, 200, 10_000])
  let value = random.pick([5_000, 100_000])
  return () => {
    if (random.below(resetEvery) === 0 && hasResets) value = 0
    else value += random.below(most)
    return value
  }
}

/** Walks in sixteenths, so that sums of values are exact in any order. */
function gauge(random: SeededRandom, around: number): Shape {
  let value = around
  return () => {
    value += (random.below(65) - 32) / 16
    return value
  }
}

function integerGauge(random: SeededRandom): Shape {
  return () => random.below(21) - 5
}

/** A gauge that is there for minutes and away for minutes; some ends are told, others are not. */
function intermittent(random: SeededRandom): Shape {
  const inner = gauge(random, 5)
  let left = 10 + random.below(30)
  let isAway = false
  return (index, count) => {
    const value = inner(index, count)
    left--
    if (left > 0) return isAway ? null : value
    isAway = !isAway
    left = 2 + random.below(isAway ? 60 : 40)
    return isAway && random.below(2) === 0 ? 'stale' : isAway ? null : value
  }
}

function addHistogram(
  random: SeededRandom,
  range: JudgedRange,
  all: JudgedSeries[],
  origin: Record<string, string>,
): void {
  const count = Math.floor((range.endMs - range.startMs) / SCRAPE_MS)
  const seed = random.below(2 ** 31)
  const phaseMs = 10 * random.below(SCRAPE_MS / 10) + 1
  // Not near zero: there version 2 cuts what `rate` extrapolates to the left in another way than 3.
  const buckets = LE.map((_, bucket) => 20_000 * (bucket + 1))
  const columns: number[][] = Array.from({ length: LE.length + 2 }, () => [])
  let sum = 70_000
  for (let index = 0; index < count; index++) {
    const observations = random.below(30) + (seed % 3)
    for (let one = 0; one < observations; one++) {
      const at = Math.min(random.below(LE.length), random.below(LE.length))
      for (let bucket = at; bucket < LE.length; bucket++) buckets[bucket] = (buckets[bucket] ?? 0) + 1
      sum += (at + 1) / 8
    }
    for (const [column, value] of [...buckets, sum, buckets.at(-1) ?? 0].entries())
      columns[column]?.push(value)
  }
  for (const [column, values] of columns.entries()) {
    const suffix = column < LE.length ? 'bucket' : column === LE.length ? 'sum' : 'count'
    const le = LE[column]
    all.push({
      labels: labelsFrom([
        ['__name__', `latency_seconds_${suffix}`],
        ...Object.entries(origin),
        ...(le === undefined ? [] : [['le', le] as const]),
      ]),
      samples: values.map((value, index) => ({
        timestampMs: range.startMs + index * SCRAPE_MS + phaseMs,
        value,
      })),
    })
  }
}

function hex(random: SeededRandom): string {
  return random
    .below(2 ** 28)
    .toString(16)
    .padStart(7, '0')
}
