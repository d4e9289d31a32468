import { describe, expect, test } from 'vitest'
import type { AlertNotice } from '../model/alert.ts'
import { EMPTY_HISTOGRAM } from '../model/float-histogram.ts'
import { type Labels, labelsFrom, labelsText } from '../model/labels.ts'
import { createQueryEngine } from '../query/promql/create-query-engine.ts'
import { createMemorySeriesSource, type MemorySeriesSource } from '../query/promql/memory-series-source.ts'
import { silentLogger } from '../runtime/logger.ts'
import type { StoredAlert } from './alert-store.ts'
import { createGroupRunner, type GroupRunner } from './create-group-runner.ts'
import { readRuleFile } from './files/read-rule-file.ts'
import { createSampleRecorder, type RecordedSample } from './sample-recorder.ts'

const MINUTE = 60_000

interface World {
  readonly source: MemorySeriesSource
  readonly recorded: RecordedSample[]
  readonly notices: AlertNotice[]
  readonly saved: StoredAlert[]
  fails: { query: boolean; save: boolean; alerting: boolean }
  readonly runner: GroupRunner
}

/** A group of these rules (YAML of a list), evaluated once a minute over series in memory. */
function world(rules: string, head = ''): World {
  const { groups, problems } = readRuleFile(`groups:\n- name: g\n${head}  rules:\n${rules}`, 'r.yml')
  expect(problems).toEqual([])
  const group = groups[0]
  if (group === undefined) throw new Error('there is no group')
  const source = createMemorySeriesSource()
  const fails = { query: false, save: false, alerting: false }
  const clock = { now: () => 0, monotonic: () => 0 }
  const real = createQueryEngine({ source, clock })
  const recorded: RecordedSample[] = []
  const notices: AlertNotice[] = []
  const saved: StoredAlert[] = []
  const runner = createGroupRunner({
    group,
    intervalMs: MINUTE,
    queryOffsetMs: group.queryOffsetMs ?? 0,
    deps: {
      engine: {
        ...real,
        instant: (query) =>
          fails.query ? Promise.reject(new Error('storage is away')) : real.instant(query),
      },
      tenant: 't',
      clock,
      logger: silentLogger(),
      recorder: createSampleRecorder({
        tenant: 't',
        logger: silentLogger(),
        onDropped: () => {},
        write: async (_tenant, samples) => {
          recorded.push(...samples)
          for (const { labels, timestampMs, value, isStale, histogram } of samples) {
            if (histogram === undefined) source.append(labels, timestampMs, value, isStale)
            else source.appendHistogram(labels, timestampMs, histogram)
          }
        },
      }),
      saveAlerts: async (alerts) => {
        if (fails.save) throw new Error('storage is away')
        saved.push(...alerts)
      },
      onAlerts: (more) => {
        if (fails.alerting) throw new Error('alerting is away')
        notices.push(...more)
      },
      externalLabels: [],
      externalUrl: 'http://mesh.test',
      resendDelayMs: MINUTE,
      windowOf: () => 5 * MINUTE,
    },
  })
  return { source, recorded, notices, saved, fails, runner }
}

function labels(metric: string, job: string): Labels {
  return labelsFrom([
    ['__name__', metric],
    ['job', job],
  ])
}

const DOWN = '  - {alert: Down, expr: up == 0, for: 1m}\n'

describe('createGroupRunner', () => {
  test('a rule sees at once what rules before it recorded, and nothing of those behind', async () => {
    const { source, runner, recorded } = world(`  - {record: a, expr: up + 1}
  - {record: b, expr: a * 10}
  - {record: c, expr: d}
  - {record: d, expr: a}
`)
    source.append(labels('up', 'x'), 0, 1)
    await runner.evaluate(0)
    expect(recorded.map((sample) => `${labelsText(sample.labels)} ${sample.value}`)).toEqual([
      'a{job="x"} 2',
      'b{job="x"} 20',
      'd{job="x"} 2',
    ])
  })

  test('a native histogram is recorded as one, seen by the next rule, and told in an alert', async () => {
    const { source, runner, recorded } = world(`  - {record: h, expr: latency * 2}
  - {record: n, expr: histogram_count(h)}
  - {alert: A, expr: h, annotations: {text: "{{ $value }}"}}
`)
    const histogram = { ...EMPTY_HISTOGRAM, count: 3, sum: 5, zeroCount: 3, zeroThreshold: 0.5 }
    source.appendHistogram(labels('latency', 'x'), 0, histogram)
    await runner.evaluate(0)
    const [h, n] = recorded
    expect(h).toMatchObject({
      labels: labels('h', 'x'),
      value: 0,
      histogram: { count: 6, sum: 10, zeroCount: 6 },
    })
    expect(n).toMatchObject({ labels: labels('n', 'x'), value: 6 })
    expect(n?.histogram).toBeUndefined()
    const [alert] = runner.state().rules[2]?.alerts ?? []
    expect(alert).toMatchObject({ value: 0, annotations: ['text', '{count:6, sum:10, [-0.5,0.5]:6}'] })
  })

  test('query_offset moves queries and what is recorded, not the times of alerts', async () => {
    const { source, runner, recorded } = world(DOWN, '  query_offset: 2m\n')
    source.append(labels('up', 'x'), 0, 0)
    source.append(labels('up', 'x'), 3 * MINUTE, 1)
    await runner.evaluate(4 * MINUTE)
    expect(recorded.map(({ timestampMs }) => timestampMs)).toEqual([2 * MINUTE, 2 * MINUTE])
    expect(runner.state().rules[0]?.alerts[0]?.activeAtMs).toBe(4 * MINUTE)
  })

  test('a failing query freezes what the rule knows, shows, and firing alerts stay believed', async () => {
    const { source, runner, recorded, notices, fails } = world(DOWN)
    source.append(labels('up', 'x'), 0, 0)
    await runner.evaluate(0)
    await runner.evaluate(MINUTE)
    const before = runner.state().rules[0]
    const samples = recorded.length
    fails.query = true
    await runner.evaluate(10 * MINUTE)
    const after = runner.state().rules[0]
    expect(after).toMatchObject({ health: 'err', lastError: 'storage is away' })
    expect(after?.alerts).toEqual(before?.alerts.map((alert) => ({ ...alert, lastSentAtMs: 10 * MINUTE })))
    expect(recorded).toHaveLength(samples)
    expect(notices.at(-1)).toMatchObject({ isResolved: false, endsAtMs: 14 * MINUTE })
    fails.query = false
    await runner.evaluate(11 * MINUTE)
    expect(runner.state().rules[0]).toMatchObject({ health: 'ok', lastError: null })
    expect(notices.at(-1)).toMatchObject({ isResolved: true, endsAtMs: 11 * MINUTE })
  })

  test('what alerting did not take is told again', async () => {
    const { source, runner, notices, fails } = world('  - {alert: Down, expr: up == 0}\n')
    source.append(labels('up', 'x'), 0, 0)
    fails.alerting = true
    await runner.evaluate(0)
    expect(runner.state().rules[0]?.alerts[0]?.lastSentAtMs).toBeNull()
    fails.alerting = false
    await runner.evaluate(1)
    expect(notices).toHaveLength(1)
    await runner.evaluate(2)
    expect(notices).toHaveLength(1)
  })

  test('states that could not be saved are saved later', async () => {
    const { source, runner, saved, fails } = world(DOWN)
    source.append(labels('up', 'x'), 0, 0)
    fails.save = true
    await runner.evaluate(0)
    fails.save = false
    await runner.evaluate(MINUTE)
    expect(saved.map(({ from, alert, atMs }) => [from, alert.state, atMs])).toEqual([
      ['none', 'pending', 0],
      ['pending', 'firing', MINUTE],
    ])
  })

  test('nothing is saved when nothing has changed, but every five minutes', async () => {
    const { source, runner, saved } = world(DOWN)
    for (let minute = 0; minute <= 12; minute += 1) source.append(labels('up', 'x'), minute * MINUTE, 0)
    for (let minute = 0; minute <= 12; minute += 1) await runner.evaluate(minute * MINUTE)
    expect(saved.map(({ from, atMs }) => [from, atMs / MINUTE])).toEqual([
      ['none', 0],
      ['pending', 1],
      [null, 6],
      [null, 11],
    ])
  })

  test.each([
    [
      'series that would be the same',
      "  - {record: a, expr: up, labels: {job: ''}}\n",
      '',
      'vector contains metrics with the same labelset after applying rule labels',
    ],
    [
      'alerts that would be the same',
      "  - {alert: A, expr: up, labels: {job: 'all'}}\n",
      '',
      'vector contains metrics with the same labelset after applying alert labels',
    ],
    ['too many series', '  - {record: a, expr: up}\n', '  limit: 1\n', 'exceeded limit of 1 with 2 series'],
    ['too many alerts', '  - {alert: A, expr: up}\n', '  limit: 1\n', 'exceeded limit of 1 with 2 alerts'],
    ['a text', '  - {record: a, expr: \'"text"\'}\n', '', 'rule result is not a vector or scalar'],
  ])('refuses %s', async (_title, rules, head, message) => {
    const { source, runner, recorded, notices } = world(rules, head)
    source.append(labels('up', 'x'), 0, 0)
    source.append(labels('up', 'y'), 0, 0)
    await runner.evaluate(0)
    expect(runner.state().rules[0]).toMatchObject({ health: 'err', lastError: message, alerts: [] })
    expect([recorded, notices]).toEqual([[], []])
  })

  test('a series that vanishes ends, one that comes back begins again', async () => {
    const { source, runner, recorded } = world('  - {record: a, expr: up == 1}\n')
    for (const [minute, value] of [1, 0, 1].entries()) {
      source.append(labels('up', 'x'), minute * MINUTE, value)
      await runner.evaluate(minute * MINUTE)
    }
    expect(recorded.map(({ isStale, timestampMs }) => [timestampMs / MINUTE, isStale])).toEqual([
      [0, false],
      [1, true],
      [2, false],
    ])
  })
})
