import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { QueryEngine } from '../query/promql/query-engine.ts'
import { openStorageTarget } from './conformance/open-storage-target.ts'
import { runScript } from './conformance/run-script.ts'
import { openMemoryTarget, type ScriptTarget } from './conformance/script-target.ts'

// Prometheus' own scripts are not part of this repository; they lie beside the checkout where it is developed.
const DIRECTORY = resolve(import.meta.dirname, '../../shared/prometheus-tests/promql')
const isThere = existsSync(DIRECTORY)

describe.skipIf(!isThere)(
  `Prometheus' scripts${isThere ? '' : ` (skipped: ${DIRECTORY} is not there)`}`,
  () => {
    const files = isThere ? readdirSync(DIRECTORY).filter((name) => name.endsWith('.test')) : []

    test.each(files)('%s', async (file) => {
      const outcomes = await runScript(readFileSync(join(DIRECTORY, file), 'utf8'))
      expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
      expect(outcomes).not.toEqual([])
    })
  },
)

describe('our own scripts', () => {
  const directory = join(import.meta.dirname, 'conformance/scripts')

  test.each(readdirSync(directory))('%s passes as a whole', async (file) => {
    const outcomes = await runScript(readFileSync(join(directory, file), 'utf8'))
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
    expect(outcomes.length).toBeGreaterThan(10)
  })
})

describe('the runner', () => {
  const run = async (evaluation: string) => {
    const [outcome] = await runScript(`load 1m\n  a{x="1"} 1 2 3\n  b{x="1"} 10 20 30\n\n${evaluation}\n`)
    return outcome?.failure
  }

  test.each<[string, string | null]>([
    ['eval instant at 2m a\n  a{x="1"} 3', null],
    ['eval instant at 2m a\n  a{x="1"} 4', 'a{x="1"}: got 3, not 4'],
    ['eval instant at 2m a\n  a{x="2"} 3', 'a{x="2"} is missing'],
    ['eval instant at 2m a or b\n  a{x="1"} 3', null],
    ['eval instant at 2m {x="1"}\n  a{x="1"} 3', 'unexpected b{x="1"} 30'],
    ['eval instant at 2m a\n  expect fail', 'does not fail'],
    ['eval instant at 2m a + on() group_left() b +', 'fails: 1:26: parse error: unexpected end of input'],
    ['eval range from 0 to 2m step 1m a + b\n  {x="1"} 11 22 33', null],
    ['eval range from 0 to 2m step 1m a + b\n  {x="1"} 11 22 _', '{x="1"} at 120000 ms: unexpected 33'],
    [
      'eval instant at 2m rate(a[2m])\n  expect no_info\n  {x="1"} 0.01666666666',
      expect.stringContaining('unexpected info'),
    ],
  ])('judges %j', async (evaluation, expected) => {
    expect(await run(evaluation)).toEqual(expected)
  })

  test.each<[string, string | null]>([
    ['h', null],
    ['h @ 120', 'h: got 7, not {{'],
    ['h * 2', ': count'],
    ['h * 0 + {__name__="other"}', ': buckets'],
    ['h_sum', 'h is missing'],
  ])('judges the histogram %s', async (expr, expected) => {
    const histogram = '{{schema:0 sum:3 count:4 buckets:[1 3]}}'
    const [outcome] = await runScript(`load 1m
  h ${histogram} ${histogram} 7
  other {{schema:0 sum:3 count:4 buckets:[3 1]}}x2
  h_sum 3 3 3

eval instant at 1m ${expr}
  ${expr.includes('@') || expr === 'h' || expr === 'h_sum' ? 'h' : '{}'} ${histogram}
`)
    expect(outcome?.failure).toEqual(expected === null ? null : expect.stringContaining(expected))
  })

  test('clears between scripts, and at clear', async () => {
    const target = openMemoryTarget()
    const script = (clear: string) => `load 1m
  a 1

${clear}
eval instant at 0 a
  expect no_warn
`
    const failures = async (text: string) => (await runScript(text, target)).map(({ failure }) => failure)
    expect(await failures(script(''))).toEqual(['unexpected a 1'])
    expect(await failures(script('clear\n'))).toEqual([null])
    expect(await failures('eval instant at 0 a')).toEqual([null])
  })

  test('demands the same of all engines', async () => {
    const target = openMemoryTarget()
    const [engine] = target.engines
    if (engine === undefined) throw new Error('no engine')
    const script = 'load 1m\n  a 1 2 3\n\neval instant at 1m a\n  a 2\n'
    const run = async (other: Partial<QueryEngine>) => {
      const engines = [engine, { ...engine, ...other } as QueryEngine]
      const [outcome] = await runScript(script, { ...target, engines })
      return outcome?.failure
    }
    expect(await run({})).toBeNull()
    expect(await run({ instant: () => Promise.reject(new Error('broken')) })).toBe(
      'second path: fails: broken',
    )
    expect(
      await run({ range: async (query) => ({ ...(await engine.range(query)), infos: ['other'] }) }),
    ).toBe('the paths differ: infos "" and "other"')
  })
})

describe('samples in storage', () => {
  let target: ScriptTarget | null = null
  beforeAll(async () => {
    target = await openStorageTarget('both')
  })
  afterAll(async () => {
    await target?.close()
  })

  test('are loaded, cleared and read by both paths', async () => {
    if (target === null) throw new Error('storage is not open')
    const outcomes = await runScript(STORED_SCRIPT, target)
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([])
    expect(outcomes).toHaveLength(9)
  })
})

const STORED_SCRIPT = `
load 30s
  calls_total{path="/a"} 0+10x20
  calls_total{path="/b"} 0+30x9 0+30x10
  gone 1 2 3 stale
  h{path="/a"} {{schema:0 sum:1 count:2 buckets:[1 1]}}+{{schema:0 sum:1 count:2 buckets:[1 1]}}x20
  began@st -10s -40s -70s
  began 1 2 3

eval instant at 5m calls_total
  calls_total{path="/a"} 100
  calls_total{path="/b"} 0

eval instant at 9m30s sum(rate(calls_total[2m]))
  {} 1.3333333333333333

eval range from 1m to 3m step 30s gone
  gone 3 _ _ _ _

eval instant at 5m h
  h{path="/a"} {{schema:0 sum:11 count:22 buckets:[11 11]}}

eval instant at 5m histogram_count(rate(h[2m]))
  {path="/a"} 0.06666666666666667

eval instant at 1m start_timestamp(began)
  {} -10

eval instant at 5m increase(calls_total[1m] anchored)
  {path="/a"} 20
  {path="/b"} 30

eval instant at 5m calls_total{path="/a"} + fill(1) nothing
  {path="/a"} 101

clear

eval instant at 5m calls_total
`
