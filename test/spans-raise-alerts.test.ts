import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AlertNotice } from '../model/alert.ts'
import { labelValue } from '../model/labels.ts'
import { createMetricsEngine } from '../query/metrics/create-metrics-engine.ts'
import { rulesConfig } from '../rules/config.ts'
import { startRules } from '../rules/start-rules.ts'
import { silentLogger } from '../runtime/logger.ts'
import type { Storage } from '../storage/storage.ts'
import { storeMessage } from './support/decode-message.ts'
import { openTestStorage } from './support/open-test-storage.ts'
import { encodeRequest } from './support/otlp-messages.ts'
import { text } from './support/stored-attributes.ts'

const SECOND = 1000
const MINUTE = 60_000
const RULES = `groups:
- name: errors of a mesh that sends only spans
  interval: 30s
  rules:
  - record: service:errors:ratio
    expr: |
      sum by (service) (rate(traces_spanmetrics_calls_total{status_code="STATUS_CODE_ERROR"}[2m]))
        / sum by (service) (rate(traces_spanmetrics_calls_total[2m]))
  - alert: Failing
    expr: service:errors:ratio > 0.4
    for: 1m
`

let directory: string
let storage: Storage
let nowMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 12 * 60 * MINUTE
const clock = { now: () => nowMs, monotonic: () => nowMs }
let timers: { readonly callback: () => void; readonly at: number }[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshwatch-span-alerts-'))
  storage = await openTestStorage({ dataDir: join(directory, 'data') })
  await writeFile(join(directory, 'mesh.yaml'), RULES)
})
afterAll(async () => {
  await storage.close()
  await rm(directory, { recursive: true })
})

let ids = 0

/** Every five seconds until then one call of each service; if so, every second one of `pay` fails. */
async function send(untilMs: number, isFailing: boolean): Promise<void> {
  const spans = { cart: [] as object[], pay: [] as object[] }
  for (let atMs = nowMs; atMs < untilMs; atMs += 5 * SECOND) {
    spans.cart.push(span(atMs, false))
    spans.pay.push(span(atMs, isFailing && atMs % (10 * SECOND) === 0))
  }
  const resourceSpans = Object.entries(spans).map(([service, list]) => ({
    resource: { attributes: [text('service.name', service)] },
    scopeSpans: [{ spans: list }],
  }))
  const message = encodeRequest('traces', { resourceSpans })
  const outcome = await storeMessage(storage, 'traces', message, { now: nowMs })
  expect(outcome.rejected).toBe(0)
}

function span(atMs: number, isError: boolean) {
  ids += 1
  const start = BigInt(atMs) * 1_000_000n
  return {
    traceId: String(ids).padStart(32, '0'),
    spanId: String(ids).padStart(16, '0'),
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 5_000_000n),
    status: { code: isError ? 2 : 0 },
  }
}

test('a mesh that exports only spans can be alerted on', async () => {
  const notices: AlertNotice[] = []
  const rules = await startRules({
    engine: createMetricsEngine({ storage, clock }),
    storage,
    clock,
    logger: silentLogger(),
    registry: new Registry(),
    config: rulesConfig.parse({ files: ['mesh.yaml'], packs: [] }),
    tenant: 'default',
    onAlerts: (more) => void notices.push(...more),
    externalUrl: 'http://mesh.test',
    baseDir: directory,
    startTimer: (callback, ms) => {
      const timer = { callback, at: nowMs + ms }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  })
  const pass = async (ms: number, isFailing: boolean) => {
    const until = nowMs + ms
    await send(until, isFailing)
    while (nowMs < until) {
      nowMs += SECOND
      for (const timer of timers.filter(({ at }) => at <= nowMs)) {
        timers = timers.filter((other) => other !== timer)
        timer.callback()
        while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }
  const alerts = () => rules.state().flatMap((group) => group.rules.flatMap((rule) => rule.alerts))
  try {
    await pass(3 * MINUTE, false)
    expect(alerts()).toEqual([])
    await pass(4 * MINUTE, true)
    expect(alerts()).toMatchObject([{ state: 'firing' }])
    expect(alerts()[0]?.value).toBeCloseTo(0.5, 1)
    expect(notices.map(({ labels }) => labelValue(labels, 'service'))).toContain('pay')
    expect(notices.map(({ labels }) => labelValue(labels, 'service'))).not.toContain('cart')
    await pass(4 * MINUTE, false)
    expect(alerts()).toMatchObject([{ state: 'inactive' }])
  } finally {
    await rules.close()
  }
})
