import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Labels, labelPairs } from '../model/labels.ts'
import { createQueryEngine } from '../query/promql/create-query-engine.ts'
import { createMemorySeriesSource } from '../query/promql/memory-series-source.ts'
import { parseSeries } from '../query/promql/promqltest/parse-series.ts'
import { systemClock } from '../runtime/clock.ts'
import { AppError } from '../runtime/errors.ts'
import { randomExpression } from './support/random-expression.ts'
import { seededRandom } from './support/seeded-random.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

const STEP_MS = 60_000
/**
 * Between two samples: older versions of promtool count a sample at the very beginning of a window, Prometheus 3 does not.
 */
const TIME_MS = 630_000
const SERIES = [
  'a{x="1",y="1"} 1+2x20',
  'a{x="1",y="2"} 5 4 3 _ 1 0 -1 -2 -3 -4 -5 _ _ 8 9 10',
  'a{x="2",y="1"} 3x20',
  'a{x="3",y="3",z="9"} 1 2 4 8 16 32 64 128 256 512 1024 2048 4096',
  'b{x="1",y="1"} 2x20',
  'b{x="2",y="1"} 10-1x20',
  'b{x="2",y="2"} 0 0 1 0 0 1 0 0 1 0 0 1 0 0',
  'b{x="4",y="1",w="q"} 7x20',
  'info{x="1",version="v1"} 1x20',
  'info{x="2",version="v2"} 1x20',
  'c_total{x="1"} 0+10x4 5+10x20',
  'c_total{x="2"} 0+7x20',
  'c_total{x="3"} 1 2 3 stale _ _ _ _ 4 5 6 7',
  'gone 1 2 3 4 5 6 7 8 9 stale',
  'h_bucket{le="0.1",x="1"} 0+1x20',
  'h_bucket{le="0.5",x="1"} 0+3x20',
  'h_bucket{le="+Inf",x="1"} 0+4x20',
  'h_bucket{le="0.1",x="2"} 0+2x20',
  'h_bucket{le="0.5",x="2"} 0+2x20',
  'h_bucket{le="+Inf",x="2"} 0+2x20',
]

/** What an expression gives: `{labels} → value`, or that it fails. */
type Answer = ReadonlyMap<string, number> | 'fails'
/**
 * Ours is also refused where a match of several is filtered out by a comparison: so Prometheus 3 of today, while promtool 2 does not see such
 * a match.
 */
type OwnAnswer = Answer | 'refused match'

describe.skipIf(!hasPromtool)('promtool and we compute the same', () => {
  test('for expressions that have every operator and modifier', async () => {
    await expectSame(EXPRESSIONS)
  })

  test('for expressions made at random', async () => {
    const random = seededRandom(5)
    await expectSame(Array.from({ length: 1500 }, () => randomExpression(random)))
  }, 120_000)

  test('and a difference would be seen', () => {
    expect(askPromtool(['a{x="2"} + 1', 'gone', 'a + on() b'])).toEqual([
      new Map([['{x="2", y="1"}', 4]]),
      new Map(),
      'fails',
    ])
  })
})

async function expectSame(expressions: readonly string[]): Promise<void> {
  const theirs = askPromtool(expressions)
  const different: unknown[] = []
  let shared = 0
  for (const [index, expr] of expressions.entries()) {
    const [mine, their] = [await askEngine(expr), theirs[index] as Answer]
    const difference = differenceOf(mine, their, expr)
    if (difference !== null) different.push({ expr, difference })
    else if (mine !== 'refused match' && their !== 'fails' && their.size > 0) shared += 1
  }
  expect(different).toEqual([])
  // Were they all empty or wrong, this would show nothing.
  expect(shared).toBeGreaterThan(expressions.length / 3)
}

function differenceOf(mine: OwnAnswer, their: Answer, expr: string): unknown {
  if (mine === 'refused match') return their === 'fails' || COMPARISON.test(expr) ? null : { mine, their }
  if (mine === 'fails' || their === 'fails') return mine === their ? null : { mine, their }
  const isSame =
    mine.size === their.size &&
    [...mine].every(([labels, value]) => {
      const other = their.get(labels) ?? null
      return other !== null && isClose(value, other)
    })
  return isSame ? null : { mine: Object.fromEntries(mine), their: Object.fromEntries(their) }
}

const COMPARISON = /[<>]|[=!]= /

function isClose(a: number, b: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}

const source = createMemorySeriesSource()
for (const series of SERIES) {
  const { labels, values } = parseSeries(series)
  for (const [index, value] of values.entries()) {
    if (value.kind === 'float') source.append(labels, index * STEP_MS, value.value)
    if (value.kind === 'stale') source.append(labels, index * STEP_MS, Number.NaN, true)
  }
}
const engine = createQueryEngine({ source, clock: systemClock })

async function askEngine(expr: string): Promise<OwnAnswer> {
  try {
    const result = await engine.instant({ tenant: 't', expr, timeMs: TIME_MS })
    if (result.type === 'scalar') return new Map([['{}', result.value]])
    if (result.type !== 'vector') throw new Error(`${expr} gives a ${result.type}`)
    return new Map(result.vector.map(({ labels, value }) => [plainText(labels), value]))
  } catch (error) {
    if (error instanceof AppError && error.message.startsWith('multiple matches for labels: ')) {
      return 'refused match'
    }
    if (error instanceof AppError && /^QUERY_(PARSE|EXECUTION)_FAILED$/.test(error.code)) return 'fails'
    throw error
  }
}

/** Labels as promtool writes them: the name like any other. */
function plainText(labels: Labels): string {
  return `{${[...labelPairs(labels)].map(([name, value]) => `${name}="${value}"`).join(', ')}}`
}

function askPromtool(expressions: readonly string[]): Answer[] {
  const dir = mkdtempSync(join(tmpdir(), 'promtool-evaluator-'))
  try {
    const file = join(dir, 'test.yml')
    const split = SERIES.map((text) => {
      const at = text.includes('}') ? text.indexOf('}') + 1 : text.indexOf(' ')
      return { series: text.slice(0, at), values: text.slice(at + 1) }
    })
    const promql_expr_test = expressions.map((expr) => ({ expr, eval_time: `${TIME_MS}ms`, exp_samples: [] }))
    const tests = [{ interval: '1m', input_series: split, promql_expr_test }]
    writeFileSync(file, JSON.stringify({ evaluation_interval: '1m', tests }))
    const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    return readAnswers(`${stderr}${stdout}`, expressions)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** promtool is told to expect nothing, so it tells what it got; where it tells nothing it got nothing. */
function readAnswers(output: string, expressions: readonly string[]): Answer[] {
  const byExpression = new Map<string, Answer>()
  for (const block of output.split(/\n(?=\s+expr: ")/)) {
    const head = /expr: ("(?:[^"\\]|\\.)*"), time: [^,]*,\s*(err: |exp:)/.exec(block)
    if (head === null) continue
    const expr: unknown = JSON.parse(head[1] ?? '')
    const got = /got:\s*(.*)/.exec(block)?.[1] ?? ''
    byExpression.set(String(expr), head[2] === 'err: ' ? 'fails' : readSamples(got))
  }
  return expressions.map((expr) => byExpression.get(expr) ?? new Map())
}

function readSamples(text: string): Answer {
  const samples = new Map<string, number>()
  for (const [, labels = '', value = ''] of text.matchAll(
    /((?:[a-zA-Z_:]\w*)?\{[^}]*\}|[a-zA-Z_:]\w*) ([-+\w.]+)(?:, |"|$)/g,
  )) {
    samples.set(labels, Number(value.replace(/^([+-]?)Inf$/, '$1Infinity')))
  }
  return samples
}

const EXPRESSIONS = [
  'a',
  'a{x="1"}',
  'a{x=~"1|3"}',
  'a{x!="1"}',
  'a{z=""}',
  'a{z!=""}',
  '{__name__=~"a|b",x="1"}',
  'gone',
  'a offset 2m',
  'a @ 330',
  'a @ 330 offset 1m',
  'a @ start()',
  'a @ end()',
  '-a',
  '+a',
  '-(-a)',
  'a + b',
  'a - b',
  'a * b',
  'a / b',
  'a % b',
  'a ^ b',
  '(a * 1) atan2 b',
  'a == b',
  'a != b',
  'a > b',
  'a < b',
  'a >= b',
  'a <= b',
  'a == bool b',
  'a > bool b',
  'a + on(x) b',
  'a + on(x, y) b',
  'a + ignoring(z) b',
  'a + on(x) group_left() info',
  'a * on(x) group_left(version) info',
  'info * on(x) group_right(version) a',
  'a + on(y) group_left(w) b{x="4"}',
  'a > on(x) group_left() info',
  'info < on(x) group_right() a',
  'a * on(x) group_left(y) info',
  'a + on() b',
  'a + on(nope) group_left() b',
  'a == on(x) group_left() info',
  'a and b',
  'a or b',
  'a unless b',
  'a and on(x) b',
  'a or on(x) b',
  'a unless on(x) b',
  'a and ignoring(z) b',
  'a or ignoring(x, y) b',
  'a + 1',
  '1 + a',
  '2 ^ a',
  'a > 3',
  '3 < a',
  'a > bool 3',
  '3 == bool a',
  '1 + 2',
  '1 > bool 2',
  '7 % -3',
  '-7 % 3',
  '1 / 0',
  '0 * 1',
  'sum(a)',
  'sum by (x) (a)',
  'sum without (x) (a)',
  'avg by (y) (a)',
  'min(a)',
  'max(a)',
  'count(a)',
  'group by (x) (a)',
  'stddev(a)',
  'stdvar by (y) (a)',
  'sum by (__name__) ({x="1"})',
  'sum by (nope) (a)',
  'sum without () (a)',
  'topk(2, a)',
  'bottomk(2, a)',
  'topk by (y) (1, a)',
  'topk(0, a)',
  'topk(-1, a)',
  'quantile(0.5, a)',
  'quantile by (y) (0.25, a)',
  'count_values("v", a)',
  'count_values by (x) ("v", b)',
  'count_values without (x) ("x", b)',
  'rate(c_total[5m])',
  'increase(c_total[5m])',
  'irate(c_total[5m])',
  'delta(a[5m])',
  'idelta(a[5m])',
  'deriv(a[5m])',
  'predict_linear(a[5m], 60)',
  'changes(b[9m])',
  'resets(c_total[9m])',
  'sum_over_time(a[5m])',
  'avg_over_time(a[5m])',
  'min_over_time(a[5m])',
  'max_over_time(a[5m])',
  'count_over_time(a[5m])',
  'stddev_over_time(a[5m])',
  'stdvar_over_time(a[5m])',
  'quantile_over_time(0.9, a[5m])',
  'last_over_time(a[5m])',
  'present_over_time(gone[5m])',
  'absent_over_time(gone[1m])',
  'absent_over_time(a[1m])',
  'rate(c_total[5m] offset 2m)',
  'rate(c_total[5m] @ 450)',
  'rate({__name__=~"a|b"}[5m])',
  'abs({__name__=~"a|b"})',
  'max_over_time(a[5m:1m])',
  'sum_over_time((a > 2)[8m:2m])',
  'avg_over_time(sum(b)[6m:])',
  'histogram_quantile(0.9, h_bucket)',
  'histogram_quantile(0.5, rate(h_bucket[5m]))',
  'histogram_quantile(0.5, sum by (le) (h_bucket))',
  'histogram_quantile(2, h_bucket)',
  'absent(a)',
  'absent(nope{x="1",y=~"2"})',
  'absent(sum(nope))',
  'clamp(a, 2, 4)',
  'clamp(a, 4, 2)',
  'clamp_min(a, 3)',
  'clamp_max(a, 3)',
  'round(a / 3)',
  'round(a, 5)',
  'label_replace(a, "q", "$1-x", "x", "(.*)")',
  'label_replace(a, "x", "", "y", "1")',
  'label_replace(a, "x", "s", "y", "1")',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a group's name
  'label_replace(a, "q", "${n}", "x", "(?P<n>\\\\d)")',
  'label_join(a, "j", "-", "x", "y")',
  'label_join(a, "__name__", ":", "x", "y")',
  'vector(3)',
  'scalar(sum(a))',
  'scalar(a)',
  'time()',
  'timestamp(a)',
  'timestamp(a + 0)',
  'sort(a)',
  'sort_desc(a)',
  'hour()',
  'minute(vector(1700000000))',
  'day_of_week(a * 100000000)',
  'day_of_month(vector(1709164800))',
  'days_in_month(vector(1709164800))',
  'month(vector(1e9))',
  'year(vector(-1e9))',
  'sgn(a - 2)',
  'exp(b)',
  'ln(b)',
  'log2(a)',
  'log10(a)',
  'sqrt(a)',
  'floor(a / 3)',
  'ceil(a / 3)',
  'sin(a)',
  'cosh(b)',
  'deg(a)',
  'rad(a)',
  'pi()',
  'abs(a)',
]
