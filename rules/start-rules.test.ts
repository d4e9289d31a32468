import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AlertNotice } from '../model/alert.ts'
import { labelsFrom, labelValue } from '../model/labels.ts'
import { slotAt } from '../model/slot.ts'
import { createClickHouseSource } from '../query/metrics/create-clickhouse-source.ts'
import { createSampleWriter } from '../query/metrics/create-sample-writer.ts'
import { createQueryEngine } from '../query/promql/create-query-engine.ts'
import { silentLogger } from '../runtime/logger.ts'
import type { Storage } from '../storage/storage.ts'
import { openTestStorage } from '../test/support/open-test-storage.ts'
import { rulesConfig } from './config.ts'
import { slotOffset } from './group-slot.ts'
import { type Rules, startRules } from './start-rules.ts'

const MINUTE = 60_000
const RULES = `groups:
- name: mesh
  interval: 1m
  rules:
  - record: errors:doubled
    expr: errors * 2
  - alert: Errors
    expr: errors:doubled > 10
    for: 2m
    keep_firing_for: 1m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.service }} has {{ $value }}'}
`

let directory: string
let storage: Storage
/** A day of its own for each test, in the last days: tables forget what is old. */
let base = slotAt(Date.now() - 10 * 86_400_000, MINUTE, 0)
let nowMs = 0
let timers: { callback: () => void; at: number }[] = []
let notices: AlertNotice[] = []
let open: Rules[] = []
const clock = { now: () => nowMs, monotonic: () => nowMs }
const startTimer = (callback: () => void, ms: number) => {
  const timer = { callback, at: nowMs + ms }
  timers.push(timer)
  return () => {
    timers = timers.filter((other) => other !== timer)
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshwatch-rules-'))
  storage = await openTestStorage({ dataDir: join(directory, 'data') })
})
afterAll(async () => {
  await storage.close()
  await rm(directory, { recursive: true })
})
beforeEach(async () => {
  base += 86_400_000
  nowMs = base
  notices = []
  timers = []
  await writeFile(join(directory, 'mesh.yaml'), RULES)
})
afterEach(async () => {
  await Promise.all(open.map((rules) => rules.close()))
  open = []
})

async function start(tenant: string): Promise<Rules> {
  const rules = await startRules({
    engine: createQueryEngine({ source: createClickHouseSource(storage, clock), clock }),
    storage,
    clock,
    logger: silentLogger(),
    registry: new Registry(),
    config: rulesConfig.parse({ files: ['mesh.yaml'], packs: [] }),
    tenant,
    onAlerts: (more) => void notices.push(...more),
    externalUrl: 'http://mesh.test',
    baseDir: directory,
    startTimer,
  })
  open.push(rules)
  return rules
}

/** Lets time go by, a second at a time, and waits for every evaluation. */
async function pass(rules: Rules, ms: number): Promise<void> {
  const until = nowMs + ms
  while (nowMs < until) {
    nowMs += 1000
    for (const timer of timers.filter(({ at }) => at <= nowMs)) {
      timers = timers.filter((other) => other !== timer)
      const before = evaluations(rules)
      timer.callback()
      // Either it slept on, which sets a timer at once, or an evaluation runs, which sets one when it is done.
      while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(evaluations(rules) - before).toBeLessThanOrEqual(1)
    }
  }
}

function evaluations(rules: Rules): number {
  return rules.state().reduce((sum, group) => sum + group.evaluations, 0)
}

async function errors(tenant: string, service: string, value: number, minutes: number): Promise<void> {
  const labels = labelsFrom([
    ['__name__', 'errors'],
    ['service', service],
  ])
  const samples = Array.from({ length: minutes * 4 }, (_, index) => ({
    labels,
    timestampMs: nowMs + index * 15_000,
    value,
    isStale: false,
  }))
  const end = { labels, timestampMs: nowMs + minutes * MINUTE, value: Number.NaN, isStale: true }
  await createSampleWriter(storage).write(tenant, [...samples, end], `errors ${tenant}`)
}

function alerts(rules: Rules) {
  return rules.state().flatMap((group) => group.rules.flatMap((rule) => rule.alerts))
}

describe('startRules', () => {
  test('records, raises, keeps firing and ends an alert at the slots of its group', async () => {
    const tenant = 'story'
    await errors(tenant, 'cart', 7, 5)
    const rules = await start(tenant)
    await pass(rules, 2 * MINUTE)
    expect(alerts(rules)).toMatchObject([{ state: 'pending', value: 14 }])
    expect(notices).toEqual([])
    await pass(rules, 2 * MINUTE)
    const slot = slotOffset({ file: 'mesh.yaml', name: 'mesh' }, MINUTE)
    const firstSlot = slotAt(base, MINUTE, slot) + MINUTE
    const firedAt = firstSlot + 2 * MINUTE
    expect(notices[0]).toEqual({
      tenant,
      labels: labelsFrom([
        ['alertname', 'Errors'],
        ['service', 'cart'],
        ['severity', 'page'],
      ]),
      annotations: ['summary', 'cart has 14'],
      startsAtMs: firedAt,
      endsAtMs: firedAt + 4 * MINUTE,
      isResolved: false,
      generatorUrl: 'http://mesh.test/graph?g0.expr=errors%3Adoubled+%3E+10&g0.tab=1',
      value: 14,
      rule: { group: 'mesh', name: 'Errors', expr: 'errors:doubled > 10', windowMs: 5 * MINUTE },
    })
    await pass(rules, 4 * MINUTE)
    const ends = notices.filter(({ isResolved }) => isResolved)
    // The samples end after 5 minutes, and the alert is kept for one more.
    expect(ends[0]?.endsAtMs).toBe(slotAt(base + 5 * MINUTE - 1, MINUTE, slot) + 2 * MINUTE)
    expect(alerts(rules)).toMatchObject([{ state: 'inactive' }])

    const history = await storage.select<{ from: string; to: string }>({
      name: 'test',
      tenant,
      sql: `SELECT toString(from_state) AS from, toString(to_state) AS to FROM alert_transitions
WHERE tenant = {tenant:String} AND alert_name = 'Errors' ORDER BY at`,
    })
    expect(history.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'none pending',
      'pending firing',
      'firing inactive',
    ])
    const recorded = await storage.select<{ metric: string; stale: string }>({
      name: 'test',
      tenant,
      sql: `SELECT metric, toString(countIf(is_stale)) AS stale FROM prom_samples WHERE tenant = {tenant:String} AND metric != 'errors'
GROUP BY metric ORDER BY metric`,
    })
    // ALERTS is two series, the pending and the firing one, and each ended once.
    expect(recorded.map(({ metric, stale }) => [metric, Number(stale)])).toEqual([
      ['ALERTS', 2],
      ['ALERTS_FOR_STATE', 1],
      ['errors:doubled', 1],
    ])
  })

  test('is after a restart exactly as it was before', async () => {
    const tenant = 'restart'
    await errors(tenant, 'cart', 7, 30)
    const first = await start(tenant)
    await pass(first, 2 * MINUTE)
    const before = alerts(first)
    expect(before).toMatchObject([{ state: 'pending' }])
    await first.close()
    const second = await start(tenant)
    expect(alerts(second)).toEqual(before)
    await pass(second, 2 * MINUTE)
    const firing = alerts(second)
    expect(firing).toMatchObject([{ state: 'firing', activeAtMs: before[0]?.activeAtMs }])
    await second.close()

    // Down until long after the end: it is told all the same.
    nowMs += 3 * 60 * MINUTE
    notices = []
    const third = await start(tenant)
    expect(alerts(third)).toMatchObject([{ state: 'firing', firedAtMs: firing[0]?.firedAtMs }])
    await pass(third, 3 * MINUTE)
    expect(notices.map(({ isResolved }) => isResolved)).toContain(true)
    expect(notices.at(-1)?.startsAtMs).toBe(firing[0]?.firedAtMs)
    // The series that the process before has begun is ended.
    const ended = await storage.select<{ times: string }>({
      name: 'test',
      tenant,
      sql: `SELECT toString(toUnixTimestamp64Milli(max(ts))) AS times FROM prom_samples
WHERE tenant = {tenant:String} AND metric = 'ALERTS' AND is_stale`,
    })
    expect(Number(ended[0]?.times)).toBeGreaterThan(nowMs - 3 * MINUTE)
  })

  test('a pending alert does not count a long outage as holding', async () => {
    const tenant = 'outage'
    await errors(tenant, 'cart', 7, 2)
    const first = await start(tenant)
    await pass(first, 90_000)
    expect(alerts(first)).toHaveLength(1)
    await first.close()
    nowMs += 2 * 60 * MINUTE
    expect(alerts(await start(tenant))).toEqual([])
  })

  test('reloads: other groups go on, the alerts of a changed rule stay, a bad file changes nothing', async () => {
    const tenant = 'reload'
    await errors(tenant, 'cart', 7, 30)
    const rules = await start(tenant)
    await pass(rules, 4 * MINUTE)
    const before = alerts(rules)
    expect(before).toMatchObject([{ state: 'firing' }])
    await writeFile(join(directory, 'mesh.yaml'), RULES.replace('> 10', '>'))
    await expect(rules.reload()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(alerts(rules)).toEqual(before)
    await writeFile(join(directory, 'mesh.yaml'), RULES.replace('> 10', '> 12'))
    await rules.reload()
    expect(alerts(rules)).toEqual(before)
    await pass(rules, MINUTE)
    expect(alerts(rules)).toMatchObject([{ state: 'firing', firedAtMs: before[0]?.firedAtMs }])
    expect(labelValue(alerts(rules)[0]?.labels ?? [], 'service')).toBe('cart')
  })

  test('alerts of a rule that was taken out are not those of one that comes back', async () => {
    const tenant = 'removed'
    await errors(tenant, 'cart', 7, 30)
    const without = RULES.slice(0, RULES.indexOf('  - alert'))
    const rules = await start(tenant)
    await pass(rules, 4 * MINUTE)
    expect(alerts(rules)).toMatchObject([{ state: 'firing' }])
    await writeFile(join(directory, 'mesh.yaml'), without)
    await rules.reload()
    await writeFile(join(directory, 'mesh.yaml'), RULES)
    await rules.reload()
    expect(alerts(rules)).toEqual([])
    await pass(rules, 3 * MINUTE)
    expect(alerts(rules)).toHaveLength(1)
    await rules.close()
    await writeFile(join(directory, 'mesh.yaml'), without)
    await (await start(tenant)).close()
    await writeFile(join(directory, 'mesh.yaml'), RULES)
    expect(alerts(await start(tenant))).toEqual([])
  })
})
