import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSeriesLimiter, type SeriesRefusal } from './create-series-limiter.ts'
import type { KnownSeries, SeriesLimit, SeriesLimiter } from './series-limiter.ts'

function idOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, 16)
}

function setUp(limit: SeriesLimit, isKnown = true) {
  const asked: string[] = []
  const refused: SeriesRefusal[] = []
  const limiter = createSeriesLimiter({
    limit,
    askKnown: (tenant) => void asked.push(tenant),
    onRefused: (refusal) => void refused.push(refusal),
  })
  limiter.begin('t', 100)
  if (isKnown) limiter.learn(knownOf('t', {}))
  return { limiter, asked, refused }
}

function knownOf(tenant: string, series: Record<string, readonly string[]>): KnownSeries {
  const metrics = Object.keys(series)
  const ids = metrics.flatMap((metric) => (series[metric] ?? []).map((text) => idOf(text).readBigUInt64LE(0)))
  let end = 0
  const ends = metrics.map((metric) => {
    end += series[metric]?.length ?? 0
    return end
  })
  return { tenant, metrics, ends: Float64Array.from(ends), ids: BigUint64Array.from(ids) }
}

function admits(limiter: SeriesLimiter, text: string, metric = 'm'): boolean {
  return limiter.admits({
    metric,
    ids: Buffer.concat([Buffer.alloc(16), idOf(text)]),
    idStart: 16,
    labels: () => [
      ['user', text],
      ['path', '/'],
    ],
  })
}

function admitted(limiter: SeriesLimiter, texts: readonly string[], metric = 'm'): string[] {
  return texts.filter((text) => admits(limiter, text, metric))
}

describe('a limit of series', () => {
  test('of a metric refuses new ones and lets the others go on', () => {
    const { limiter, refused } = setUp({ global: 0, perMetric: 3 })
    expect(admitted(limiter, ['a', 'b', 'c', 'd', 'a', 'd'])).toEqual(['a', 'b', 'c', 'a'])
    expect(admits(limiter, 'd', 'other')).toBe(true)
    expect(refused[0]).toMatchObject({ tenant: 't', metric: 'm', limit: 'perMetric', series: 3 })
    expect(refused[0]?.widest()).toEqual({ label: 'user', values: 3 })
    expect(limiter.active()).toEqual(new Map([['t', 4]]))
  })

  test('of a tenant is for all its metrics, and for it alone', () => {
    const { limiter, refused } = setUp({ global: 2, perMetric: 0 })
    expect(admits(limiter, 'a', 'm1')).toBe(true)
    expect(admits(limiter, 'b', 'm2')).toBe(true)
    expect(admits(limiter, 'c', 'm3')).toBe(false)
    expect(refused[0]).toMatchObject({ metric: 'm3', limit: 'global', series: 2 })
    limiter.begin('u', 100)
    limiter.learn(knownOf('u', {}))
    expect(admits(limiter, 'c', 'm3')).toBe(true)
    limiter.begin('t', 100)
    expect(admits(limiter, 'c', 'm3')).toBe(false)
  })

  test('counts series of yesterday until today is over', () => {
    const { limiter } = setUp({ global: 0, perMetric: 2 })
    expect(admitted(limiter, ['a', 'b'])).toEqual(['a', 'b'])
    limiter.begin('t', 101)
    expect(admitted(limiter, ['c', 'a'])).toEqual(['a'])
    const before = limiter.epoch()
    limiter.begin('t', 102)
    // b was not told of for a day.
    expect(limiter.epoch()).toBeGreaterThan(before)
    expect(admitted(limiter, ['c', 'd', 'a'])).toEqual(['c', 'a'])
    limiter.begin('t', 104)
    expect(limiter.active().get('t')).toBe(0)
    expect(admitted(limiter, ['x', 'y', 'z'])).toEqual(['x', 'y'])
  })

  test('does not count what was not written after all', () => {
    const { limiter } = setUp({ global: 0, perMetric: 2 })
    admits(limiter, 'a')
    limiter.begin('t', 100)
    expect(admitted(limiter, ['b', 'c'])).toEqual(['b'])
    const before = limiter.epoch()
    limiter.rollback()
    expect(limiter.epoch()).toBeGreaterThan(before)
    expect(limiter.active().get('t')).toBe(1)
    limiter.begin('t', 100)
    expect(admitted(limiter, ['c', 'b', 'a'])).toEqual(['c', 'a'])
  })

  test('refuses none before the series of before are known, and none of them then', () => {
    const { limiter, asked } = setUp({ global: 0, perMetric: 3 }, false)
    expect(asked).toEqual(['t'])
    expect(admitted(limiter, ['a', 'b', 'c', 'd'])).toHaveLength(4)
    limiter.learn(knownOf('t', { m: ['a', 'x', 'y'], n: ['z'] }))
    expect(limiter.active().get('t')).toBe(7)
    expect(admitted(limiter, ['e', 'x', 'a', 'd', 'y'])).toEqual(['x', 'a', 'd', 'y'])
    expect(admits(limiter, 'z', 'n')).toBe(true)
    limiter.begin('t', 100)
    expect(asked).toEqual(['t'])
  })

  test('none at all counts nothing', () => {
    const { limiter, asked } = setUp({ global: 0, perMetric: 0 })
    expect(admits(limiter, 'a')).toBe(true)
    expect(asked).toEqual([])
    expect(limiter.active()).toEqual(new Map())
  })

  test('agrees with a count of all series on random days', () => {
    const { limiter } = setUp({ global: 40, perMetric: 12 })
    const days = new Map<string, number>()
    let random = 1
    const below = (limit: number) => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
      return (random >>> 8) % limit
    }
    let day = 100
    for (let step = 0; step < 5000; step++) {
      if (below(100) === 0) day += 1 + (below(5) === 0 ? 1 : 0)
      limiter.begin('t', day)
      const metric = `m${below(6)}`
      const text = `${metric} ${below(30)}`
      const isCurrent = (key: string) => (days.get(key) ?? 0) >= day - 1
      const current = [...days.keys()].filter(isCurrent)
      const ofMetric = current.filter((key) => key.startsWith(`${metric} `)).length
      const expected = isCurrent(text) || (current.length < 40 && ofMetric < 12)
      expect(admits(limiter, text, metric)).toBe(expected)
      if (expected) days.set(text, day)
    }
  })
})
