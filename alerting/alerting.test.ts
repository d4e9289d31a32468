import { afterEach, describe, expect, test } from 'vitest'
import { openVirtualAlerting, type VirtualAlerting } from '../test/support/virtual-alerting.ts'
import { waitUntil } from '../test/support/wait-until.ts'
import type { DeliveryOutcome } from './notifier.ts'

const CONFIG = `
route:
  receiver: oncall
  group_by: [service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: oncall
    webhook_configs:
      - url: http://127.0.0.1:9/
`
const EMAIL_CONFIG = CONFIG.replace(
  /webhook_configs:[\s\S]*/,
  `email_configs:
      - {to: a@example.org, from: m@example.org, smarthost: 'localhost:25'}
`,
)
const A = { alertname: 'A', service: 'cart' }
const B = { alertname: 'B', service: 'cart' }
const HOUR = 3600

let world: VirtualAlerting | undefined

afterEach(async () => {
  await world?.close()
  world = undefined
})

async function open(config = CONFIG): Promise<VirtualAlerting> {
  world = await openVirtualAlerting(config)
  return world
}

describe('timers', () => {
  test('a group waits for group_wait, then for group_interval, and ends with its last alert', async () => {
    const story = await open()
    story.fire(A)
    await story.advanceTo(29.999)
    expect(story.told()).toEqual([])
    await story.advanceTo(100)
    story.fire(B)
    await story.advanceTo(400)
    story.resolve(A)
    await story.advanceTo(1000)
    story.resolve(B)
    await story.advanceTo(2000)
    expect(story.told()).toEqual([
      '30 oncall firing first notification: A(firing)',
      '330 oncall firing new alerts added: A(firing) B(firing)',
      '630 oncall firing some alerts resolved: A(resolved) B(firing)',
      '1230 oncall resolved all alerts resolved: B(resolved)',
    ])
    expect(story.alerting.state.groups.size).toBe(0)
    expect(story.alerting.state.alerts.size).toBe(0)
  })

  test('a repeat_interval of 4h means 4h', async () => {
    const story = await open()
    story.fire(A)
    await story.advanceTo(12.5 * HOUR)
    expect(story.attempts.map(({ atS }) => atS)).toEqual(
      [30, 4, 8, 12].map((at) => (at < 30 ? at * HOUR + 30 : at)),
    )
  })

  test('a repeat_interval that is no multiple of group_interval holds too', async () => {
    const story = await open(CONFIG.replace('4h', '7m'))
    story.fire(A)
    await story.advanceTo(30 + 22 * 60)
    expect(story.attempts.map(({ atS }) => (atS - 30) / 60)).toEqual([0, 7, 14, 21])
  })

  test('an alert that ends within group_wait is not told', async () => {
    const story = await open()
    story.fire(A)
    await story.advanceTo(20)
    story.resolve(A)
    await story.advanceTo(HOUR)
    expect(story.told()).toEqual([])
    expect(story.alerting.state.groups.size).toBe(0)
  })

  test('an alert without news ends when it is no longer believed', async () => {
    const story = await open()
    story.fire(A, { believedForS: 240 })
    await story.advanceTo(HOUR)
    expect(story.told().at(-1)).toBe('330 oncall resolved all alerts resolved: A(resolved)')
  })

  test('groups are by label', async () => {
    const story = await open()
    story.fire(A)
    story.fire({ ...A, service: 'payments' })
    story.fire({ ...A, service: 'cart', pod: 'x' })
    await story.advanceTo(60)
    expect(story.told()).toEqual([
      '30 oncall firing first notification: A(firing) A(firing)',
      '30 oncall firing first notification: A(firing)',
    ])
  })

  test('tenants never share a group', async () => {
    const story = await open()
    story.fire(A)
    story.fire(A, { tenant: 'other' })
    await story.advanceTo(60)
    expect(story.attempts.map(({ notification }) => notification.tenant)).toEqual(['default', 'other'])
  })
})

describe('a receiver that is away', () => {
  const away = () => ({ outcome: 'retry', reason: 'connection refused' }) as const

  test('is tried with growing pauses, and told once', async () => {
    const story = await open()
    story.answer = away
    story.fire(A)
    await story.advanceTo(200)
    expect(story.attempts.map(({ atS }) => atS)).toEqual([
      30, 30.5, 31.5, 33.5, 37.5, 45.5, 61.5, 93.5, 157.5,
    ])
    story.answer = () => ({ outcome: 'delivered', receipt: { response: '200 OK' } })
    await story.advanceTo(HOUR)
    expect(story.told()).toEqual(['285.5 oncall firing first notification: A(firing)'])
    expect(new Set(story.attempts.map(({ notification }) => notification.id)).size).toBe(1)
  })

  test('for the whole incident: one late message with both times', async () => {
    const story = await open()
    story.answer = away
    story.fire(A)
    await story.advanceTo(600)
    story.resolve(A)
    await story.advanceTo(2000)
    story.answer = () => ({ outcome: 'delivered', receipt: { response: '200 OK' } })
    await story.advanceTo(3 * HOUR)
    expect(story.told()).toHaveLength(1)
    expect(story.told()[0]).toMatch(
      /^2\d{3}(\.\d+)? oncall resolved all alerts resolved late: A\(resolved\)$/,
    )
    const alert = story.attempts.at(-1)?.notification.alerts[0]
    expect((alert?.endsAtMs ?? 0) - (alert?.startsAtMs ?? 0)).toBe(600_000)
    expect(story.alerting.state.groups.size).toBe(0)
  })

  test('is told late even when it does not want to hear of endings', async () => {
    const story = await open(EMAIL_CONFIG)
    story.answer = away
    story.fire(A)
    await story.advanceTo(600)
    story.resolve(A)
    await story.advanceTo(2000)
    story.answer = () => ({ outcome: 'delivered', receipt: { response: '250 OK' } })
    await story.advanceTo(3 * HOUR)
    expect(story.told()).toHaveLength(1)
    expect(story.told()[0]).toContain('late: A(resolved)')
  })

  test('for good: tried again at the next tick, and its end is tried once', async () => {
    const story = await open()
    story.answer = () => ({ outcome: 'permanent', reason: '404 Not Found' })
    story.fire(A)
    await story.advanceTo(400)
    story.resolve(A)
    await story.advanceTo(HOUR)
    expect(story.attempts.map(({ atS }) => atS)).toEqual([30, 330, 630])
    expect(story.alerting.state.groups.size).toBe(0)
  })

  test('Retry-After is honoured', async () => {
    const story = await open()
    story.answer = (_, { attempt }) =>
      attempt === 1
        ? { outcome: 'retry', reason: '429', retryAfterMs: 90_000 }
        : { outcome: 'delivered', receipt: { response: '200' } }
    story.fire(A)
    await story.advanceTo(HOUR)
    expect(story.attempts.map(({ atS }) => atS)).toEqual([30, 120])
  })

  test('what is not delivered yet is replaced by what is true now', async () => {
    const story = await open()
    story.answer = away
    story.fire(A)
    await story.advanceTo(100)
    story.fire(B)
    await story.advanceTo(400)
    story.answer = () => ({ outcome: 'delivered', receipt: { response: '200 OK' } })
    await story.advanceTo(HOUR)
    expect(story.told()).toHaveLength(1)
    expect(story.told()[0]).toContain('firing first notification: A(firing) B(firing)')
    expect([...story.alerting.state.intents.values()].map(({ state }) => state)).toEqual([
      'superseded',
      'delivered',
    ])
  })
})

test('a message that is with its receiver is not replaced; what changed meanwhile is told right after', async () => {
  const story = await open()
  const answers: ((outcome: DeliveryOutcome) => void)[] = []
  story.answer = () => new Promise((resolve) => answers.push(resolve))
  story.fire(A)
  story.turnTo(30)
  await waitUntil('the receiver has it', () => answers.length === 1)
  story.fire(B)
  story.turnTo(330)
  expect(story.alerting.state.intents.size).toBe(1)
  story.answer = () => ({ outcome: 'delivered', receipt: { response: '200 OK' } })
  answers[0]?.({ outcome: 'delivered', receipt: { response: '200 OK' } })
  await waitUntil('the answer is taken', () => story.alerting.state.intents.size === 2)
  await story.advanceTo(340)
  expect(story.told().map((line) => line.replace(/^\d+ /, ''))).toEqual([
    'oncall firing first notification: A(firing)',
    'oncall firing new alerts added: A(firing) B(firing)',
  ])
})

test('email is not told of endings unless it asks for it', async () => {
  const story = await open(EMAIL_CONFIG)
  story.fire(A)
  await story.advanceTo(100)
  story.resolve(A)
  await story.advanceTo(1000)
  story.fire(A)
  await story.advanceTo(2000)
  expect(story.told()).toEqual([
    '30 oncall firing first notification: A(firing)',
    '1030 oncall firing first notification: A(firing)',
  ])
})

test('recipients that have a message are not told again', async () => {
  const story = await open(EMAIL_CONFIG)
  story.answer = (_, { attempt, recipients }) =>
    attempt === 1
      ? {
          outcome: 'partially',
          receipt: { response: '2 of 3' },
          retry: ['c@example.org'],
          reason: 'greylisted',
        }
      : { outcome: 'delivered', receipt: { response: String(recipients) } }
  story.fire(A)
  await story.advanceTo(100)
  expect(story.attempts.map(({ attempt }) => attempt.recipients)).toEqual([null, ['c@example.org']])
  expect([...story.alerting.state.intents.values()].map(({ state }) => state)).toEqual(['delivered'])
})

describe('a restart', () => {
  test('keeps the timers, and tells nothing twice', async () => {
    const story = await open()
    story.fire(A)
    await story.advanceTo(10)
    await story.restart()
    await story.advanceTo(100)
    await story.restart()
    story.fire(A)
    await story.advanceTo(HOUR)
    expect(story.told()).toEqual(['30 oncall firing first notification: A(firing)'])
  })

  test('ends no alert, but one that is not heard of again ends after resolve_timeout', async () => {
    const story = await open()
    story.fire(A, { believedForS: 60 })
    await story.advanceTo(50)
    await story.restart()
    await story.advanceTo(HOUR)
    expect(story.told()).toEqual([
      '30 oncall firing first notification: A(firing)',
      '630 oncall resolved all alerts resolved: A(resolved)',
    ])
  })

  test('goes on with what was not delivered', async () => {
    const story = await open()
    story.answer = () => ({ outcome: 'retry', reason: 'connection refused' })
    story.fire(A)
    await story.advanceTo(40)
    await story.restart()
    story.answer = () => ({ outcome: 'delivered', receipt: { response: '200 OK' } })
    await story.advanceTo(100)
    expect(story.told()).toEqual(['45.5 oncall firing first notification: A(firing)'])
    expect(new Set(story.attempts.map(({ notification }) => notification.id)).size).toBe(1)
    expect(story.attempts.at(-1)?.attempt.attempt).toBe(6)
  })
})
