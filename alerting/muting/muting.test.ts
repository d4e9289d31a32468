import { afterEach, describe, expect, test } from 'vitest'
import {
  openVirtualAlerting,
  STORY_START_MS,
  type VirtualAlerting,
} from '../../test/support/virtual-alerting.ts'
import { setSilence } from './change-silences.ts'

const CONFIG = `
route:
  receiver: oncall
  group_by: [service]
  group_wait: 30s
  group_interval: 5m
  routes:
    - matchers: [team=night]
      receiver: oncall
      mute_time_intervals: [three-thirty]
receivers:
  - name: oncall
    webhook_configs: [{url: 'http://127.0.0.1:9/'}]
inhibit_rules:
  - source_matchers: [alertname=Down]
    target_matchers: [severity=warn]
    equal: [service]
time_intervals:
  - name: three-thirty
    time_intervals: [{times: [{start_time: '03:30', end_time: '04:00'}]}]
`
const A = { alertname: 'A', service: 'cart' }
const B = { alertname: 'B', service: 'cart' }
const HOUR = 3600

let world: VirtualAlerting

afterEach(() => world.close())

async function open(): Promise<void> {
  world = await openVirtualAlerting(CONFIG)
}

async function silence(alertname: string, fromS: number, toS: number): Promise<void> {
  const { events } = setSilence(
    world.alerting.state,
    {
      tenant: 'default',
      id: null,
      matchers: [{ name: 'alertname', op: '=', value: alertname }],
      startsAtMs: STORY_START_MS + fromS * 1000,
      endsAtMs: STORY_START_MS + toS * 1000,
      createdBy: 'ann',
      comment: '',
      annotations: {},
    },
    world.alerting.clock.now(),
    () => crypto.randomUUID(),
  )
  await world.alerting.record(events)
}

describe('a silence', () => {
  test('keeps an alert from being told until it ends', async () => {
    await open()
    await silence('A', 0, 1000)
    world.fire(A)
    world.fire(B)
    await world.advanceTo(2000)
    expect(world.told()).toEqual([
      '30 oncall firing first notification: B(firing)',
      '1230 oncall firing new alerts added: A(firing) B(firing)',
    ])
  })

  test('swallows an alert that begins and ends under it', async () => {
    await open()
    await silence('A', 0, HOUR)
    world.fire(A)
    await world.advanceTo(500)
    world.resolve(A)
    await world.advanceTo(2 * HOUR)
    expect(world.told()).toEqual([])
    expect(world.alerting.state.groups.size).toBe(0)
  })

  test('does not swallow the end of what was told before', async () => {
    await open()
    world.fire(A)
    await world.advanceTo(100)
    await silence('A', 100, HOUR)
    await world.advanceTo(400)
    world.resolve(A)
    await world.advanceTo(2 * HOUR)
    expect(world.told()).toEqual([
      '30 oncall firing first notification: A(firing)',
      '630 oncall resolved all alerts resolved: A(resolved)',
    ])
  })

  test('of one tenant does not touch another', async () => {
    await open()
    await silence('A', 0, HOUR)
    world.fire(A, { tenant: 'other' })
    await world.advanceTo(60)
    expect(world.told()).toHaveLength(1)
  })
})

describe('inhibition', () => {
  const slow = { alertname: 'Slow', severity: 'warn', service: 'cart' }
  const down = { alertname: 'Down', severity: 'page', service: 'cart' }

  test('holds while the source fires, for equal labels only', async () => {
    await open()
    world.fire(slow)
    world.fire({ ...slow, service: 'payments' })
    world.fire(down)
    await world.advanceTo(400)
    world.resolve(down)
    await world.advanceTo(1000)
    expect(world.told()).toEqual([
      '30 oncall firing first notification: Down(firing)',
      '30 oncall firing first notification: Slow(firing)',
      '630 oncall firing new alerts added: Down(resolved) Slow(firing)',
    ])
  })

  test('holds after a restart, from the first look', async () => {
    await open()
    world.fire(slow)
    world.fire(down)
    await world.advanceTo(10)
    await world.restart()
    world.fire(slow)
    await world.advanceTo(200)
    expect(world.told()).toEqual(['30 oncall firing first notification: Down(firing)'])
  })

  test('an alert on both sides does not inhibit itself', async () => {
    await open()
    world.fire({ ...down, severity: 'warn' })
    await world.advanceTo(60)
    expect(world.told()).toHaveLength(1)
  })
})

test('a mute time interval holds alerts back, and not the end of what was told', async () => {
  await open()
  const night = { ...A, team: 'night' }
  world.fire(night)
  await world.advanceTo(0.5 * HOUR + 60)
  world.resolve(night)
  world.fire({ ...B, team: 'night', service: 'payments' })
  await world.advanceTo(1.5 * HOUR)
  expect(world.told()).toEqual([
    '30 oncall firing first notification: A(firing)',
    '2130 oncall resolved all alerts resolved: A(resolved)',
    '3690 oncall firing first notification: B(firing)',
  ])
})

describe('another configuration', () => {
  test('in which the alert is routed elsewhere: the old receiver hears the end, the new one the news', async () => {
    await open()
    world.fire(A)
    await world.advanceTo(100)
    await world.reload(
      CONFIG.replace('routes:', 'routes:\n    - {matchers: [alertname=A], receiver: other}').replace(
        'receivers:',
        "receivers:\n  - {name: other, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}",
      ),
    )
    await world.advanceTo(1000)
    world.resolve(A)
    await world.advanceTo(2 * HOUR)
    expect(world.told().sort()).toEqual([
      '1030 other resolved all alerts resolved: A(resolved)',
      '1230 oncall resolved all alerts resolved: A(resolved)',
      '130 other firing first notification: A(firing)',
      '30 oncall firing first notification: A(firing)',
    ])
    expect(world.alerting.state.groups.size).toBe(0)
  })

  test('with other timers only: nothing is told again', async () => {
    await open()
    world.fire(A)
    await world.advanceTo(100)
    await world.reload(CONFIG.replace('5m', '1m'))
    await world.advanceTo(HOUR)
    expect(world.told()).toHaveLength(1)
  })

  test('that is bad is refused, and the old one stays', async () => {
    await open()
    await expect(world.reload('route: {}')).rejects.toThrow(
      /Cannot use the alerting configuration: .*alertmanager.yml:1:8: route: root route must specify a default receiver/,
    )
    world.fire(A)
    await world.advanceTo(60)
    expect(world.told()).toHaveLength(1)
  })

  test('without the receiver: what is owed to it is dropped', async () => {
    await open()
    world.answer = () => ({ outcome: 'retry', reason: 'away' })
    world.fire(A)
    await world.advanceTo(100)
    await world.reload('route: {receiver: nobody}\nreceivers: [{name: nobody}]')
    await world.advanceTo(HOUR)
    expect([...world.alerting.state.intents.values()].map(({ state }) => state)).toEqual(['failed'])
  })
})
