import { afterAll, beforeAll, expect, test } from 'vitest'
import { labelsFrom, labelsText } from '../../model/labels.ts'
import { watchInserts } from '../../storage/watch-inserts.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { createChangeLog } from '../promql/frontend/change-log.ts'
import type { QueryEngine, QueryResult } from '../promql/query-engine.ts'
import { createQueryTrace } from '../promql/query-plan.ts'
import { createMetricsEngine } from './create-metrics-engine.ts'
import { createSampleWriter } from './create-sample-writer.ts'

const NOW = Date.UTC(2026, 0, 2, 4)

let deps: OpenQueryDeps
let auto: QueryEngine
let raw: QueryEngine

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  auto = createMetricsEngine(deps)
  raw = createMetricsEngine(deps, { path: 'raw' })
})
afterAll(() => deps.close())

const labels = (pod: number) =>
  labelsFrom([
    ['__name__', 'm_total'],
    ['job', `j${pod % 2}`],
    ['pod', String(pod)],
  ])

/** Samples of many series, newest first, so that they have to be put in order. */
async function write(tenant: string, from: number, count: number, token: string): Promise<void> {
  const writer = createSampleWriter(deps.storage)
  const samples = Array.from({ length: 60 }, (_, pod) =>
    Array.from({ length: count }, (_, i) => ({
      labels: labels(pod),
      timestampMs: NOW - (from + i) * 15_000,
      value: 10_000 - (from + i) * (pod + 1),
      isStale: pod % 7 === 0 && from + i === 3,
    })),
  )
  await writer.write(tenant, samples.flat(), `${tenant} ${token}`)
}

function shown(result: QueryResult): [string, number][] {
  return result.type === 'vector' ? result.vector.map(({ labels: of, value }) => [labelsText(of), value]) : []
}

async function asked(tenant: string, expr: string, timeMs = NOW) {
  const trace = createQueryTrace()
  const [mine, theirs] = await Promise.all([
    auto.instant({ tenant, expr, timeMs, trace }),
    raw.instant({ tenant, expr, timeMs }),
  ])
  const [a, b] = [shown(mine), shown(theirs)]
  expect(a.map(([name]) => name)).toEqual(b.map(([name]) => name))
  for (const [i, [, value]] of a.entries()) expect(value).toBeCloseTo(b[i]?.[1] ?? Number.NaN, 9)
  expect(a.length).toBeGreaterThan(0)
  return trace.units.flatMap(({ statements }) => statements.map(({ name }) => name))
}

const RULES = [
  'sum(rate(m_total{job="j0"}[5m]))',
  'sum by (pod) (increase(m_total{job="j1"}[2m]))',
  'max(m_total{job="j0"})',
  'm_total{job="j1"} > 0',
  'count_over_time(m_total{job="j0"}[7m])',
  'sum(rate(m_total[5m]))',
]

test('questions about one moment are answered from memory after the first few, and alike', async () => {
  await write('rules', 0, 50, 'one')
  const statements: string[][] = []
  for (const expr of [...RULES, ...RULES]) statements.push(await asked('rules', expr))
  expect(statements.slice(0, 2).flat()).toContain('metrics.grids')
  expect(statements.flat().filter((name) => name === 'metrics.window')).toHaveLength(1)
  expect(statements.slice(-RULES.length).flat()).toEqual([])
})

test('so are those about moments nearby', async () => {
  await write('nearby', 0, 60, 'one')
  const statements: string[][] = []
  for (let i = 0; i < 20; i += 1)
    statements.push(await asked('nearby', RULES[i % 6] ?? '', NOW - 100_000 - i * 750))
  expect(statements.flat().filter((name) => name === 'metrics.window')).toHaveLength(1)
  expect(statements.slice(-6).flat()).toEqual([])
})

test('the next slot goes on from the one before', async () => {
  await write('next', 1, 60, 'one')
  for (const expr of RULES) await asked('next', expr, NOW - 10_000)
  await write('next', 0, 1, 'two')
  const statements: string[][] = []
  for (const expr of RULES) statements.push(await asked('next', expr, NOW + 5_000))
  expect(statements).toEqual([['metrics.window'], ...RULES.slice(1).map(() => [])])
})

test('what is written afterwards is seen', async () => {
  await write('late', 1, 20, 'one')
  for (const expr of [...RULES, ...RULES]) await asked('late', expr)
  await write('late', 0, 1, 'two')
  for (const expr of [...RULES, ...RULES]) await asked('late', expr)
})

test('of what is written only that is read, late or not, in any order', async () => {
  const changes = createChangeLog()
  const storage = watchInserts(deps.storage, new Set(['prom_samples']), ({ tenants, earliestMs }) =>
    changes.note('samples', tenants, earliestMs),
  )
  const knows = {
    generation: changes.generation,
    changedSince: (generation: number, tenant: string) =>
      changes.changedSince(generation, tenant, ['samples']),
  }
  auto = createMetricsEngine({ storage, clock: deps.clock }, { changes: knows })
  const writer = createSampleWriter(storage)
  const put = (pods: readonly number[], agoMs: number, value: number, isStale = false) =>
    writer.write(
      'steps',
      pods.map((pod) => ({ labels: labels(pod), timestampMs: NOW - agoMs, value, isStale })),
      `${pods} ${agoMs} ${value}`,
    )
  const all = Array.from({ length: 60 }, (_, pod) => pod)
  for (let i = 40; i > 4; i -= 1) await put(all, i * 15_000, 10_000 - i)
  for (const expr of RULES) await asked('steps', expr)
  const statements: string[] = []
  const check = async () => {
    for (const expr of RULES) statements.push(...(await asked('steps', expr)))
  }
  await put(all, 60_000, 9_996)
  await check()
  // A scrape that comes in two messages.
  await put(all.slice(0, 30), 45_000, 9_997)
  await check()
  await put(all.slice(30), 45_000, 9_997)
  await check()
  // Late: in between, a second value at a time that is known, a series that is new, one that has ended.
  await put(all.slice(0, 7), 130_000, 9_991.5)
  await check()
  await put([5], 45_000, 20_000)
  await check()
  await put([77, 79], 400_000, 1)
  await check()
  await put([3], 1_000, 0, true)
  await check()
  // While it is written, an answer may be from before or from after; afterwards it is not.
  const meanwhile = () => RULES.map((expr) => auto.instant({ tenant: 'steps', expr, timeMs: NOW }))
  await Promise.all([
    ...meanwhile(),
    put(all, 15_000, 9_999),
    ...meanwhile(),
    put([8], 14_000, 12_000),
    ...meanwhile(),
  ])
  await check()
  expect(statements).toContain('metrics.window')
  // Nothing else is asked for.
  expect(new Set(statements)).toEqual(new Set(['metrics.window']))
})

test('a longer window is read when it is asked for, other moments on their own', async () => {
  await write('long', 0, 70, 'one')
  for (const range of ['1m', '5m', '10m', '15m', '19m', '25m', '2m']) {
    await asked('long', `sum(rate(m_total[${range}]))`)
    await asked('long', `sum(rate(m_total[${range}] offset 1m))`)
    await asked('long', `sum(rate(m_total[${range}]))`, NOW - 15_000)
    await asked('long', `sum by (pod) (m_total)`, NOW - 40_000)
    await asked('long', `sum by (pod) (increase(m_total[${range}]))`, NOW - 270_000)
  }
})
