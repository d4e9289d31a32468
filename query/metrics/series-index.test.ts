import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compareBytes,
  type Labels,
  labelPairs,
  labelsFrom,
  labelsKey,
  labelValue,
} from '../../model/labels.ts'
import { compileMatcher, type Matcher } from '../../model/matcher.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { createSampleWriter } from './create-sample-writer.ts'
import { listLabelNames, listLabelValues } from './list-labels.ts'
import { isPlain } from './resolve-matchers.ts'
import { selectLabelSets } from './select-label-sets.ts'

const DAY = 86_400_000
/** A Thursday. */
const NOW = Date.UTC(2026, 0, 8, 4)
const TENANT = 'default'

const NAMES = ['up', 'http_requests_total', 'm', 'm_sum', 'm_bucket', 'http.requests', "it's"]
const LABELS = ['job', 'instance', 'le', 'quantile', 'pod', 'ünï', 'a.b', '__proto__']
const VALUES = [
  'a',
  'b',
  'A',
  'ab',
  '0.5',
  '+Inf',
  'é',
  'line\nbreak',
  "o'clock",
  '\\',
  '^$',
  'x.y',
  'Ⅷ',
  '%',
]

interface Told {
  readonly labels: Labels
  readonly day: number
}

// The same series in every run: what is drawn in a run is the questions.
const TOLD: readonly Told[] = fc.sample(
  fc.record({
    labels: fc
      .tuple(
        fc.constantFrom(...NAMES),
        fc.dictionary(fc.constantFrom(...LABELS), fc.constantFrom(...VALUES), {
          maxKeys: 5,
          noNullPrototype: false,
        }),
      )
      .map(([name, labels]) => labelsFrom([['__name__', name], ...Object.entries(labels)])),
    day: fc.integer({ min: -12, max: 0 }).map((days) => Math.floor(NOW / DAY) + days),
  }),
  { numRuns: 600, seed: 4 },
)

const pattern = fc.oneof(
  fc.constantFrom(
    '',
    '.*',
    '.+',
    'a|b',
    'a.*',
    '.*b',
    '[ab]+',
    '(?i)a',
    '(?i:AB)|é',
    '[^a]',
    'x\\.y',
    '\\Qx.y\\E',
  ),
  fc.constantFrom(
    '^a$',
    'a$|^b',
    '\\pL+',
    '[[:upper:]]',
    '.*\\s.*',
    '(?-s:.*)',
    'a{1,2}',
    '(a|b){1,200}',
    '|a',
    '\\W+',
    '[\\^$]+',
  ),
)

const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({
    name: fc.constantFrom(...LABELS, 'absent'),
    op: fc.constantFrom('=' as const, '!=' as const),
    value: fc.constantFrom(...VALUES, '', 'none'),
  }),
  fc.record({
    name: fc.constantFrom(...LABELS, 'absent'),
    op: fc.constantFrom('=~' as const, '!~' as const),
    value: pattern,
  }),
  fc.record({
    name: fc.constant('__name__'),
    op: fc.constantFrom('=' as const, '!=' as const),
    value: fc.constantFrom(...NAMES),
  }),
  fc.record({
    name: fc.constant('__name__'),
    op: fc.constantFrom('=~' as const, '!~' as const),
    value: fc.constantFrom('m.*', 'up|m', 'http.requests', '(?i)UP', '.+', '.*_(sum|bucket)', '\\pL+'),
  }),
)

const question = fc.record({
  matcherSets: fc.array(fc.array(matcher, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
  fromDay: fc.integer({ min: -14, max: 1 }),
  label: fc.constantFrom(...LABELS, '__name__', 'absent'),
  limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
})

let deps: OpenQueryDeps

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW })
  const writer = createSampleWriter(deps.storage)
  const sampleOf = ({ labels, day }: Told) => ({ labels, timestampMs: day * DAY + 1000, value: 1 })
  await writer.write(TENANT, TOLD.slice(0, 300).map(sampleOf), 'a')
  await writer.write(TENANT, TOLD.slice(300).map(sampleOf), 'b')
  await writer.write(
    'other',
    [
      {
        labels: labelsFrom([
          ['__name__', 'theirs'],
          ['job', 'theirs'],
        ]),
        timestampMs: NOW,
        value: 1,
      },
    ],
    'c',
  )
})
afterAll(() => deps.close())

/** The naive answer: a look at every series. */
function scan(matcherSets: readonly (readonly Matcher[])[], fromMs: number): Map<string, Labels> {
  const tests = matcherSets.map((matchers) =>
    matchers.map((each) => ({ name: each.name, matches: compileMatcher(each) })),
  )
  const found = TOLD.filter(
    ({ labels, day }) =>
      day >= Math.floor(fromMs / DAY) - 1 &&
      tests.some((all) => all.every(({ name, matches }) => matches(labelValue(labels, name)))),
  )
  return new Map(found.map(({ labels }) => [labelsKey(labels), labels]))
}

function sorted(values: Iterable<string>): string[] {
  return [...new Set(values)].filter((value) => value !== '').sort(compareBytes)
}

async function judge({
  matcherSets,
  fromDay,
  label,
  limit,
}: typeof question extends fc.Arbitrary<infer Q> ? Q : never) {
  const fromMs = NOW + fromDay * DAY
  const request = { tenant: TENANT, matcherSets, fromMs, toMs: NOW }
  const expected = scan(matcherSets, fromMs)
  const sets = await selectLabelSets(deps.storage, request)
  expect(sorted(sets.map(labelsKey))).toEqual(sorted(expected.keys()))
  const some = await selectLabelSets(deps.storage, { ...request, enough: 3 })
  expect(some.length).toBeGreaterThanOrEqual(Math.min(3, expected.size))
  for (const labels of some) expect(expected.has(labelsKey(labels))).toBe(true)
  const all = [...expected.values()]
  expect(await listLabelNames(deps.storage, request)).toEqual(
    sorted(all.flatMap((labels) => [...labelPairs(labels)].map(([name]) => name))),
  )
  expect(await listLabelValues(deps.storage, { ...request, name: label, limit })).toEqual(
    sorted(all.map((labels) => labelValue(labels, label))).slice(0, limit),
  )
}

describe('the index of series', () => {
  test('answers what a look at every series answers', async () => {
    await fc.assert(fc.asyncProperty(question, judge), { numRuns: 120 })
  }, 120_000)

  test('does so after parts were merged', async () => {
    for (const table of ['prom_index', 'prom_label_values']) {
      await deps.storage.command(`OPTIMIZE TABLE ${table} FINAL`)
    }
    await fc.assert(fc.asyncProperty(question, judge), { numRuns: 40 })
  }, 60_000)

  test('lists all names and values without matchers', async () => {
    const request = { tenant: TENANT, matcherSets: [], fromMs: 0, toMs: NOW }
    const all = TOLD.map(({ labels }) => labels)
    expect(await listLabelNames(deps.storage, request)).toEqual(
      sorted(all.flatMap((labels) => [...labelPairs(labels)].map(([name]) => name))),
    )
    for (const name of [...LABELS, '__name__', 'absent']) {
      const values = sorted(all.map((labels) => labelValue(labels, name)))
      expect(await listLabelValues(deps.storage, { ...request, name })).toEqual(values)
      expect(await listLabelValues(deps.storage, { ...request, name, limit: 2 })).toEqual(values.slice(0, 2))
    }
  })

  test('knows nothing of before the first and of other tenants', async () => {
    const request = { tenant: 'other', matcherSets: [], fromMs: 0, toMs: NOW }
    expect(await listLabelValues(deps.storage, { ...request, name: 'job' })).toEqual(['theirs'])
    expect(await listLabelNames(deps.storage, { ...request, tenant: 'nobody' })).toEqual([])
  })
})

test.each([
  ['a.*', true],
  ['(foo|bar)-[0-9a-f]{8}', true],
  ['.*\\.svc\\.cluster', true],
  ['(?i)a', false],
  ['\\pL', false],
  ['[[:alpha:]]', false],
  ['(a{100}){100}', false],
  ['\\Qa\\E', false],
])('%s is left to ClickHouse: %s', (value, expected) => {
  expect(isPlain({ name: 'a', op: '=~', value })).toBe(expected)
})
