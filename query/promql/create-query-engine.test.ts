import { describe, expect, test } from 'vitest'
import { labelsText } from '../../model/labels.ts'
import { systemClock } from '../../runtime/clock.ts'
import { AppError } from '../../runtime/errors.ts'
import { randomExpression } from '../../test/support/random-expression.ts'
import { seededRandom } from '../../test/support/seeded-random.ts'
import { createQueryEngine } from './create-query-engine.ts'
import { createMemorySeriesSource } from './memory-series-source.ts'
import { parseSeries } from './promqltest/parse-series.ts'
import type { QueryEngine, QueryResult } from './query-engine.ts'

const TENANT = 't'
const SERIES = [
  'a{x="1",y="1"} 1+2x20',
  'a{x="1",y="2"} 5 4 3 _ 1 0 -1 -2 stale _ _ _ 8 9 10',
  'a{x="2",y="1"} 3x5 NaN 3 Inf -Inf 3x9',
  'b{x="1",y="1"} 2x20',
  'b{x="2",y="1"} 10-1x20',
  'info{x="1",version="v1"} 1x20',
  'info{x="2",version="v2"} 1x20',
  'c_total{x="1"} 0+10x4 5+10x20',
  'c_total{x="3"} 1 2 3 stale _ _ _ _ 4 5 6 7',
  'gone 1 2 3 4 5 6 7 8 9 stale',
]

function sourceOf(lines: readonly string[], stepMs = 60_000) {
  const source = createMemorySeriesSource()
  for (const line of lines) {
    const { labels, values } = parseSeries(line)
    for (const [index, value] of values.entries()) {
      if (value.kind === 'float') source.append(labels, index * stepMs, value.value)
      if (value.kind === 'stale') source.append(labels, index * stepMs, Number.NaN, true)
    }
  }
  return source
}

const source = sourceOf(SERIES)
const engine = createQueryEngine({ source, clock: systemClock })

/** What a query gives at a moment, as text; or its error's code. */
async function instant(
  asked: QueryEngine,
  expr: string,
  timeMs: number,
): Promise<Record<string, string> | string> {
  try {
    return pointsAt(await asked.instant({ tenant: TENANT, expr, timeMs }), timeMs)
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

function pointsAt(result: QueryResult, timeMs: number): Record<string, string> {
  if (result.type === 'vector') {
    return Object.fromEntries(result.vector.map(({ labels, value }) => [labelsText(labels), String(value)]))
  }
  if (result.type !== 'matrix') return { '{}': String(result.value) }
  return Object.fromEntries(
    result.matrix.flatMap(({ labels, timestamps, values }) => {
      const at = timestamps.indexOf(timeMs)
      return at === -1 ? [] : [[labelsText(labels), String(values[at])] as const]
    }),
  )
}

describe('a range query', () => {
  test('is the instant query at every step, whatever the expression', async () => {
    const random = seededRandom(3)
    let compared = 0
    for (let round = 0; round < 400; round += 1) {
      const expr = randomExpression(random)
      const startMs = 60_000 * random.below(10) - 30_000 * random.below(2)
      const stepMs = random.pick([1, 30_000, 60_000, 90_000, 300_000])
      const times = Array.from({ length: 1 + random.below(8) }, (_, index) => startMs + index * stepMs)
      const instants: (Record<string, string> | string)[] = []
      for (const timeMs of times) instants.push(await instant(engine, expr, timeMs))
      let result: QueryResult
      try {
        result = await engine.range({
          tenant: TENANT,
          expr,
          startMs,
          endMs: startMs + (times.length - 1) * stepMs,
          stepMs,
        })
      } catch (error) {
        expect(error, expr).toBeInstanceOf(AppError)
        // A range fails where one of its moments does.
        expect(instants, expr).toContain((error as AppError).code)
        continue
      }
      expect(
        times.map((timeMs) => pointsAt(result, timeMs)),
        `${expr} from ${startMs} by ${stepMs}`,
      ).toEqual(instants)
      compared += 1
    }
    expect(compared).toBeGreaterThan(200)
  })

  test('of nothing is empty', async () => {
    expect(await engine.range({ tenant: TENANT, expr: 'a', startMs: 10, endMs: 5, stepMs: 1 })).toMatchObject(
      {
        matrix: [],
      },
    )
  })
})

describe('limits', () => {
  const query = { tenant: TENANT, expr: 'sum_over_time(b[10m])', timeMs: 600_000 }

  test('too many samples are refused', async () => {
    const small = createQueryEngine({ source, clock: systemClock, maxSamples: 19 })
    await expect(small.instant(query)).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
    const enough = createQueryEngine({ source, clock: systemClock, maxSamples: 20 })
    await expect(enough.instant(query)).resolves.toMatchObject({ type: 'vector' })
  })

  test('a subquery of too many moments is refused before anything is loaded', async () => {
    for (const expr of [
      'max_over_time(vector(1)[10y:1ms])',
      'max_over_time(b[10y:1ms])',
      'absent(b)[10y:1ms]',
    ]) {
      await expect(engine.instant({ ...query, expr })).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
    }
    // Subqueries of subqueries are looked into.
    const nested = 'max_over_time(max_over_time(b[5m:1ms])[1d:1m])'
    await expect(engine.instant({ ...query, expr: nested })).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
    })
  })

  test('too many results are refused', async () => {
    const small = createQueryEngine({ source, clock: systemClock, maxSamples: 1000 })
    const range = { tenant: TENANT, expr: 'b', startMs: 0, endMs: 600_000 }
    await expect(small.range({ ...range, stepMs: 1000 })).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' })
    await expect(small.range({ ...range, stepMs: 2000 })).resolves.toBeDefined()
  })

  test('a query that nobody waits for ends', async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now++ * 100 }
    const stopping = createQueryEngine({ source, clock })
    const signal = AbortSignal.abort()
    await expect(stopping.instant({ ...query, signal })).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect(stopping.instant(query)).resolves.toBeDefined()
  })
})

describe('how far back', () => {
  const sparse = createQueryEngine({ source: sourceOf(['s 1', 't 1 stale']), clock: systemClock })

  test.each<[number, number | undefined, boolean]>([
    [299_999, undefined, true],
    [300_000, undefined, false],
    [599_999, 600_000, true],
    [600_000, 600_000, false],
  ])('at %d ms with a lookback of %j: %j', async (timeMs, lookbackMs, isThere) => {
    const more = lookbackMs === undefined ? {} : { lookbackMs }
    const result = await sparse.instant({ tenant: TENANT, expr: 's', timeMs, ...more })
    expect(result.type === 'vector' && result.vector.length === 1).toBe(isThere)
  })

  test('not beyond the end of a series', async () => {
    expect(await instant(sparse, 't', 59_999)).toEqual({ t: '1' })
    expect(await instant(sparse, 't', 60_000)).toEqual({})
  })
})

describe('an overlay', () => {
  const fresh = createMemorySeriesSource()
  const labels = ['__name__', 's', 'k', 'v']

  test('counts before what is stored, and forgets what is old', async () => {
    const stored = createMemorySeriesSource()
    stored.append(labels, 1000, 1)
    stored.append(labels, 2000, 2)
    fresh.append(labels, 2000, 20)
    fresh.append(labels, 3000, 30)
    const asked = createQueryEngine({ source: stored, clock: systemClock })
    const result = await asked.instant({
      tenant: TENANT,
      expr: 's[10s]',
      timeMs: 5000,
      overlay: fresh.overlay,
    })
    expect(
      result.type === 'matrix' &&
        result.matrix.map(({ timestamps, values }) => [[...timestamps], [...values]]),
    ).toEqual([
      [
        [1000, 2000, 3000],
        [1, 20, 30],
      ],
    ])
    fresh.trim(3000)
    expect(fresh.overlay.selectSeries({ tenant: TENANT, matchers: [], fromMs: 0, toMs: 9999 })).toMatchObject(
      [{ timestamps: Float64Array.of(3000) }],
    )
    fresh.trim(3001)
    expect(fresh.overlay.selectSeries({ tenant: TENANT, matchers: [], fromMs: 0, toMs: 9999 })).toEqual([])
  })
})

test('a name is removed at once, or at the end', async () => {
  const delayed = createQueryEngine({ source, clock: systemClock, isNameRemovalDelayed: true })
  const expr = 'label_replace(abs({__name__=~"b|info",x="1"}), "was", "$1", "__name__", "(.*)")'
  expect(await instant(delayed, expr, 0)).toEqual({
    '{was="b", x="1", y="1"}': '2',
    '{version="v1", was="info", x="1"}': '1',
  })
  expect(await instant(engine, expr, 0)).toEqual({ '{x="1", y="1"}': '2', '{version="v1", x="1"}': '1' })
})
