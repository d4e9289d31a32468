import { describe, expect, test } from 'vitest'
import { labelsText } from '../../../model/labels.ts'
import { type Clock, systemClock } from '../../../runtime/clock.ts'
import { AppError } from '../../../runtime/errors.ts'
import { randomExpression } from '../../../test/support/random-expression.ts'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { createQueryEngine } from '../create-query-engine.ts'
import { createMemorySeriesSource } from '../memory-series-source.ts'
import type { QueryEngine, QueryResult, RangeQuery } from '../query-engine.ts'
import { createChangeLog } from './change-log.ts'
import { createQueryFrontend } from './create-query-frontend.ts'
import { createQueryReport } from './query-report.ts'
import { createRangeCache } from './range-cache.ts'

const TENANT = 't'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const BOUNDS = { timeoutMs: 60_000, concurrency: 4, maxSamples: 1_000_000, clock: systemClock }

/** Counts what it is asked. */
function counted(engine: QueryEngine) {
  const asked: RangeQuery[] = []
  return {
    asked,
    instant: engine.instant,
    range: (query: RangeQuery) => {
      asked.push(query)
      return engine.range(query)
    },
  }
}

function cached(
  engine: QueryEngine,
  options: { isSoleWriter?: boolean; clock?: Clock; maxBytes?: number } = {},
) {
  const { isSoleWriter = true, clock = systemClock, maxBytes = 2 ** 26 } = options
  const changes = createChangeLog()
  const cache = createRangeCache({ maxBytes, changes, isSoleWriter, clock })
  return { changes, cache, frontend: createQueryFrontend({ ...BOUNDS, clock, engine, cache }) }
}

function readable(result: QueryResult) {
  if (result.type !== 'matrix') return result
  return {
    ...result,
    matrix: result.matrix.map(({ labels, timestamps, values }) => [
      labelsText(labels),
      [...timestamps],
      [...values],
    ]),
  }
}

async function outcome(engine: QueryEngine, query: RangeQuery) {
  try {
    return readable(await engine.range(query))
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const NAMES = ['a', 'b', 'info', 'gone', 'c_total']

const EXPERIMENTAL = [
  'info(a offset 4m, {__name__="info"})',
  'rate(c_total[5m] smoothed)',
  'a smoothed',
  'increase(c_total[5m] anchored) offset 3m',
  'limitk by (x) (1, {y="1"})',
  'limit_ratio(0.5, {y="1"})',
  'a + on (x) group_left () fill_right (0) gone',
  'topk(1, a) or bottomk(1, b)',
]

/** A few series with gaps, ends and resets, a sample a minute. */
function fill(random: ReturnType<typeof seededRandom>, hours: number) {
  const source = createMemorySeriesSource()
  for (const name of NAMES) {
    for (const x of ['1', '2']) {
      for (let at = 0; at < hours * HOUR; at += MINUTE) {
        const choice = random.below(12)
        if (choice === 0) continue
        const value = random.pick([random.below(100), -3, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
        source.append(['__name__', name, 'x', x, 'y', '1'], at + 17, value, choice === 1)
      }
    }
  }
  return source
}

describe('an answer in parts, and from memory', () => {
  test('is the answer, whatever the expression, also when samples come late', async () => {
    const seed = 11
    const random = seededRandom(seed)
    const source = fill(random, 9)
    const engine = counted(createQueryEngine({ source, clock: systemClock }))
    const { frontend, changes, cache } = cached(engine)
    const expressions = Array.from({ length: 25 }, () => {
      const inner = randomExpression(random, 2)
      return random.pick([
        inner,
        inner,
        `${inner} - ${random.pick(['a @ end()', 'b @ start()', 'a offset -7m', 'b @ 9000', 'sum_over_time(a[1h:7m])'])}`,
        `vector(${random.pick(['range()', 'time()', 'end()', 'step()'])}) + on() group_right() (${inner})`,
        `max_over_time(c_total[${random.pick(['step()', 'range()'])}])`,
        random.pick(EXPERIMENTAL),
      ])
    })
    let parts = 0
    let compared = 0
    for (let round = 0; round < 250; round += 1) {
      const expr = random.pick(expressions)
      const stepMs = random.pick([5_000, 60_000])
      const startMs = random.below(6) * HOUR + random.pick([0, 5_000, 600_000, 61_000])
      const endMs = startMs + random.pick([0, 300_000, HOUR, 1.2 * HOUR, 2.5 * HOUR, 4 * HOUR])
      const query = { tenant: TENANT, expr, startMs, endMs, stepMs }
      const before = engine.asked.length
      const answer = await outcome(frontend, query)
      parts += engine.asked.length - before
      const expected = await outcome(engine, query)
      if (typeof expected !== 'string' && typeof answer !== 'string') {
        // What was said of a part may be of moments beside those asked for.
        expect(answer.warnings, expr).toEqual(expect.arrayContaining([...expected.warnings]))
        expect({ ...answer, warnings: [], infos: [] }, `seed ${seed}, ${JSON.stringify(query)}`).toEqual({
          ...expected,
          warnings: [],
          infos: [],
        })
        compared += 1
      } else expect(answer, `seed ${seed}, ${JSON.stringify(query)}`).toEqual(expected)
      if (random.below(3) === 0) {
        const at = random.below(10 * 60) * MINUTE + random.below(MINUTE)
        source.append(['__name__', random.pick(NAMES), 'x', random.pick(['1', '3']), 'y', '1'], at, 42)
        changes.note('samples', random.pick([[TENANT], null]), at)
      }
    }
    expect(compared).toBeGreaterThan(150)
    expect(cache.size).toBeGreaterThan(0)
    expect(parts).toBeGreaterThan(250)
  })

  test('computes only what is new when the range moves on', async () => {
    const source = fill(seededRandom(1), 3)
    const engine = counted(createQueryEngine({ source, clock: systemClock }))
    const { frontend, changes } = cached(engine)
    const ask = async (startMs: number, endMs: number) => {
      engine.asked.length = 0
      await frontend.range({ tenant: TENANT, expr: 'sum(a)', startMs, endMs, stepMs: 5_000 })
      return engine.asked.map((query) => [query.startMs, query.endMs])
    }
    expect(await ask(600_000, 2 * HOUR - 5_000)).toEqual([
      [600_000, HOUR - 5_000],
      [HOUR, 2 * HOUR - 5_000],
    ])
    expect(await ask(600_000, 2 * HOUR - 5_000)).toEqual([])
    expect(await ask(700_000, 2 * HOUR + 4999)).toEqual([[2 * HOUR, 2 * HOUR]])
    expect(await ask(710_000, 2 * HOUR + 10_000)).toEqual([[2 * HOUR + 5_000, 2 * HOUR + 10_000]])
    expect(await ask(500_000, 2 * HOUR)).toEqual([[500_000, 595_000]])
    // Too short for two: it belongs where it begins.
    expect(await ask(HOUR - 5_000, HOUR + 10_000)).toEqual([[HOUR, HOUR + 10_000]])
    expect(await ask(500_000, HOUR + 5_000)).toEqual([])
    // Another phase is another grid.
    expect(await ask(603_000, 613_000)).toEqual([[603_000, 613_000]])
    changes.note('samples', ['other'], 0)
    expect(await ask(600_000, HOUR)).toEqual([])
    changes.note('spans', [TENANT], 0)
    expect(await ask(600_000, HOUR)).toEqual([])
    changes.note('samples', [TENANT], HOUR)
    expect(await ask(600_000, 2 * HOUR)).toEqual([
      [HOUR, 2 * HOUR - 5_000],
      [2 * HOUR, 2 * HOUR],
    ])
  })

  test('belongs to its tenant, its lookback and its expression, however that is written', async () => {
    const engine = counted(createQueryEngine({ source: fill(seededRandom(1), 3), clock: systemClock }))
    const { frontend } = cached(engine)
    const ask = async (more: Partial<RangeQuery>) => {
      const before = engine.asked.length
      const query = { tenant: TENANT, expr: 'a{x="1",y="1"}', startMs: 0, endMs: HOUR - 1, stepMs: 5000 }
      await frontend.range({ ...query, ...more })
      return engine.asked.length - before
    }
    expect(await ask({})).toBe(1)
    expect(await ask({ tenant: 'other' })).toBe(1)
    expect(await ask({ lookbackMs: 60_000 })).toBe(1)
    expect(await ask({ lookbackMs: 300_000 })).toBe(0)
    expect(await ask({ expr: 'a { y = "1" , x = `1` }' })).toBe(0)
    expect(await ask({ expr: 'a{x="1",y="2"}' })).toBe(1)
    expect(await ask({ stepMs: 2500 })).toBe(1)
    expect(await ask({ tenant: 'other' })).toBe(0)
  })

  test('takes no more memory than it may', async () => {
    const engine = counted(createQueryEngine({ source: fill(seededRandom(1), 3), clock: systemClock }))
    const { frontend, cache } = cached(engine, { maxBytes: 40_000 })
    const ask = (expr: string, endMs = 30 * MINUTE) =>
      frontend.range({ tenant: TENANT, expr, startMs: 0, endMs, stepMs: 5000 })
    for (let i = 0; i < 20; i += 1) {
      await ask(`count(a) + ${i}`)
      expect(cache.size).toBeLessThanOrEqual(40_000)
    }
    expect(cache.size).toBeGreaterThan(20_000)
    engine.asked.length = 0
    await ask('count(a) + 19')
    expect(engine.asked.length).toBe(0)
    await ask('count(a) + 0')
    expect(engine.asked.length).toBe(1)
    // One answer alone that is too large is not kept, and drives nothing out.
    await ask('{y="1"}')
    await ask('count(a) + 19')
    expect(engine.asked.length).toBe(2)
  })

  test('tells places in the query as it is written', async () => {
    const source = fill(seededRandom(1), 3)
    const { frontend } = cached(createQueryEngine({ source, clock: systemClock }))
    const ask = (expr: string) =>
      frontend.range({ tenant: TENANT, expr, startMs: 0, endMs: HOUR, stepMs: 60_000 })
    const { warnings } = await ask('quantile(2, a)')
    expect(warnings).toEqual([expect.stringContaining('(1:10)')])
    expect((await ask('   quantile(2,a)')).warnings).toEqual([expect.stringContaining('(1:13)')])
  })

  test('where others write too, only what is closed is remembered, and not for long', async () => {
    let now = 3 * HOUR
    const clock: Clock = { now: () => now, monotonic: systemClock.monotonic }
    const engine = counted(createQueryEngine({ source: fill(seededRandom(1), 3), clock: systemClock }))
    const { frontend } = cached(engine, { isSoleWriter: false, clock })
    const ask = async (expr: string) => {
      engine.asked.length = 0
      const startMs = 2 * HOUR
      await frontend.range({ tenant: TENANT, expr, startMs, endMs: 3 * HOUR - 1, stepMs: 5_000 })
      return engine.asked.map((query) => query.startMs)
    }
    const open = 3 * HOUR - 600_000
    expect(await ask('a')).toEqual([2 * HOUR])
    expect(await ask('a')).toEqual([open])
    expect(await ask('a offset 5m')).toEqual([2 * HOUR])
    expect(await ask('a offset 5m')).toEqual([open + 300_000])
    expect(await ask('a @ 1')).toEqual([2 * HOUR])
    expect(await ask('a @ 1')).toEqual([])
    expect(await ask(`a @ ${(3 * HOUR) / 1000}`)).toEqual([2 * HOUR])
    expect(await ask(`a @ ${(3 * HOUR) / 1000}`)).toEqual([2 * HOUR])
    now += 600_001
    expect(await ask('a')).toEqual([2 * HOUR])
  })

  test('reports where it came from', async () => {
    const { frontend } = cached(createQueryEngine({ source: fill(seededRandom(1), 3), clock: systemClock }))
    const ask = async (endMs: number) => {
      const report = createQueryReport()
      await frontend.range({ tenant: TENANT, expr: 'a', startMs: 0, endMs, stepMs: 5_000, report })
      return report.parts.map(({ startMs, endMs, from }) => [startMs, endMs, from])
    }
    expect(await ask(2 * HOUR)).toEqual([
      [0, HOUR - 5_000, 'engine'],
      [HOUR, 2 * HOUR - 5_000, 'engine'],
      [2 * HOUR, 2 * HOUR, 'engine'],
    ])
    expect(await ask(2 * HOUR + 5_000)).toEqual([
      [0, HOUR - 5_000, 'cache'],
      [HOUR, 2 * HOUR - 5_000, 'cache'],
      [2 * HOUR, 2 * HOUR, 'cache'],
      [2 * HOUR + 5_000, 2 * HOUR + 5_000, 'engine'],
    ])
    expect(await ask(HOUR)).toEqual([
      [0, HOUR - 5_000, 'cache'],
      [HOUR, HOUR, 'engine'],
    ])
  })
})

describe('bounds', () => {
  /** An engine whose queries wait until they are let go, or nobody waits for them. */
  function slowEngine() {
    const running: { readonly query: RangeQuery; readonly finish: () => void }[] = []
    const wait = (query: RangeQuery): Promise<QueryResult> =>
      new Promise((resolve, reject) => {
        const result: QueryResult = { type: 'matrix', matrix: [], warnings: [], infos: [] }
        running.push({ query, finish: () => resolve(result) })
        query.signal?.addEventListener('abort', () => reject(new AppError('CANCELLED', 'gone')))
      })
    const engine: QueryEngine = { instant: (query) => wait(query as unknown as RangeQuery), range: wait }
    return { running, engine }
  }
  const query = { tenant: TENANT, expr: 'a', startMs: 0, endMs: 0, stepMs: 1 }
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  test('the same is asked once, and given up when the last has gone', async () => {
    const { running, engine } = slowEngine()
    const frontend = createQueryFrontend({ ...BOUNDS, engine, cache: null })
    const first = new AbortController()
    const second = new AbortController()
    const one = frontend.range({ ...query, signal: first.signal })
    const two = frontend.range({ ...query, signal: second.signal })
    await settled()
    expect(running.length).toBe(1)
    first.abort()
    await expect(one).rejects.toMatchObject({
      code: 'CANCELLED',
      message: 'query was canceled in expression evaluation',
    })
    expect(running[0]?.query.signal?.aborted).toBe(false)
    second.abort()
    await expect(two).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(running[0]?.query.signal?.aborted).toBe(true)
    const three = frontend.range(query)
    await settled()
    expect(running.length).toBe(2)
    running[1]?.finish()
    await expect(three).resolves.toMatchObject({ matrix: [] })
  })

  test('so many run at a time; the others wait for their turn', async () => {
    const { running, engine } = slowEngine()
    const frontend = createQueryFrontend({ ...BOUNDS, concurrency: 1, engine, cache: null })
    const leaving = new AbortController()
    const all = [0, 1, 2].map((timeMs) =>
      frontend.instant({
        tenant: TENANT,
        expr: 'a',
        timeMs,
        ...(timeMs === 1 ? { signal: leaving.signal } : {}),
      }),
    )
    await settled()
    expect(running.length).toBe(1)
    leaving.abort()
    await expect(all[1]).rejects.toMatchObject({ message: 'query was canceled in query queue' })
    running[0]?.finish()
    await all[0]
    await settled()
    expect(running.length).toBe(2)
    running[1]?.finish()
    await expect(all[2]).resolves.toBeDefined()
  })

  test('time runs out, waiting or computing', async () => {
    const { engine } = slowEngine()
    const frontend = createQueryFrontend({ ...BOUNDS, timeoutMs: 20, concurrency: 1, engine, cache: null })
    const first = frontend.range({ ...query, timeoutMs: 1000 })
    const second = frontend.range({ ...query, expr: 'b', timeoutMs: 1 })
    await expect(second).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
      message: 'query timed out in query queue',
    })
    await expect(first).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
      message: 'query timed out in expression evaluation',
    })
  })

  test('all parts together have so many points', async () => {
    const engine = createQueryEngine({ source: fill(seededRandom(1), 3), clock: systemClock })
    const frontend = createQueryFrontend({ ...BOUNDS, maxSamples: 1441, engine, cache: null })
    const ask = (endMs: number) =>
      frontend.range({ tenant: TENANT, expr: 'vector(1)', startMs: 0, endMs, stepMs: 5_000 })
    await expect(ask(2 * HOUR)).resolves.toBeDefined()
    await expect(ask(2 * HOUR + 5_000)).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
      message: 'query processing would load too many samples into memory in query execution',
    })
  })

  test('when a part fails, the others are given up', async () => {
    const { running, engine } = slowEngine()
    const failing: QueryEngine = {
      ...engine,
      range: (asked) =>
        asked.startMs === 0 ? Promise.reject(new AppError('RESULT_TOO_LARGE', 'x')) : engine.range(asked),
    }
    const frontend = createQueryFrontend({ ...BOUNDS, engine: failing, cache: null, partsAtOnce: 2 })
    const failed = frontend.range({ ...query, endMs: 3 * HOUR, stepMs: 5_000 })
    await expect(failed).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE', message: 'x' })
    expect(running.map(({ query: { signal } }) => signal?.aborted)).toEqual([true])
  })
})
