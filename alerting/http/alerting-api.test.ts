import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../runtime/clock.ts'
import { createHttpServer } from '../../runtime/http-server.ts'
import {
  openVirtualAlerting,
  STORY_START_MS,
  type VirtualAlerting,
} from '../../test/support/virtual-alerting.ts'
import { registerAlertingApi } from './register-alerting-api.ts'
import { registerAlertmanagerApi } from './register-alertmanager-api.ts'

const CONFIG = `
route:
  receiver: oncall
  group_by: [service]
  routes: [{matchers: [team=db], receiver: dba}]
receivers:
  - name: oncall
    webhook_configs: [{url: 'http://127.0.0.1:9/'}]
  - name: dba
    email_configs: [{to: a@example.org, from: m@example.org, smarthost: 'localhost:25'}]
inhibit_rules:
  - source_matchers: [alertname=Down]
    target_matchers: [alertname=Slow]
    equal: [service]
`
const V2 = '/alertmanager/api/v2'
const DOWN = { alertname: 'Down', service: 'cart' }
const SLOW = { alertname: 'Slow', service: 'cart' }
const DISK = { alertname: 'Disk', service: 'mysql', team: 'db' }

let world: VirtualAlerting
let app: FastifyInstance

beforeEach(async () => {
  world = await openVirtualAlerting(CONFIG)
  app = createHttpServer({
    access: {
      isEnforced: true,
      authorize: ({ authorization }) => ({ tenant: authorization?.replace('Bearer ', '') ?? 'default' }),
    },
    tls: null,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
  registerAlertmanagerApi(app, world.alerting)
  registerAlertingApi(app, world.alerting, {
    ruleAlerts: (tenant) =>
      tenant === 'default'
        ? [
            { state: 'pending', labels: { alertname: 'Soon' } },
            { state: 'firing', labels: DOWN },
          ]
        : [],
  })
  await app.ready()
})

afterEach(async () => {
  await app.close()
  await world.close()
})

/** What the tests look at in answers. */
interface GettableAlert {
  readonly fingerprint: string
  readonly labels: Readonly<Record<string, string>>
  readonly endsAt: string
  readonly status: { readonly silencedBy: readonly string[] }
}
interface Notifications {
  readonly notifications: readonly { readonly id: string }[]
}
interface GettableGroup {
  readonly receiver: { readonly name: string }
  readonly labels: Readonly<Record<string, string>>
  readonly alerts: readonly GettableAlert[]
}

async function get<Answer>(url: string, tenant = 'default'): Promise<Answer> {
  const answer = await app.inject({ url, headers: { authorization: `Bearer ${tenant}` } })
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json()
}

async function silence(matchers: readonly object[], given: Readonly<Record<string, unknown>> = {}) {
  const at = (seconds: number) => new Date(STORY_START_MS + seconds * 1000).toISOString()
  return await app.inject({
    method: 'POST',
    url: `${V2}/silences`,
    payload: { matchers, startsAt: at(0), endsAt: at(3600), createdBy: 'ann', comment: 'c', ...given },
  })
}

const matcher = (name: string, value: string, isRegex = false) => ({ name, value, isRegex, isEqual: true })

describe('alerts', () => {
  test('with what mutes them and who is told, filtered', async () => {
    world.fire(DOWN)
    world.fire(SLOW)
    world.fire(DISK)
    world.fire(DISK, { tenant: 'other' })
    await silence([matcher('team', 'db')])
    const alerts = await get<GettableAlert[]>(`${V2}/alerts`)
    const byName = (name: string) => alerts.find((alert) => alert.labels['alertname'] === name)
    expect(byName('Down')).toMatchObject({ status: { state: 'active' }, receivers: [{ name: 'oncall' }] })
    expect(byName('Slow')?.status).toEqual({
      state: 'suppressed',
      inhibitedBy: [byName('Down')?.fingerprint],
      silencedBy: [],
      mutedBy: [],
    })
    expect(byName('Disk')).toMatchObject({ status: { state: 'suppressed' }, receivers: [{ name: 'dba' }] })
    expect(byName('Disk')?.status.silencedBy).toHaveLength(1)
    const names = async (query: string) =>
      (await get<GettableAlert[]>(`${V2}/alerts?${query}`)).map(({ labels }) => labels['alertname']).sort()
    expect(await names('silenced=false')).toEqual(['Down', 'Slow'])
    expect(await names('inhibited=false&active=false')).toEqual(['Disk'])
    expect(await names('receiver=db.')).toEqual(['Disk'])
    expect(await names(`filter=${encodeURIComponent('service=~"c.*"')}&filter=alertname!=Down`)).toEqual([
      'Slow',
    ])
    expect(await get(`${V2}/alerts`, 'third')).toEqual([])
    const groups = await get<GettableGroup[]>(`${V2}/alerts/groups`)
    expect(groups.map((group) => [group.receiver.name, group.labels, group.alerts.length])).toEqual([
      ['oncall', { service: 'cart' }, 2],
      ['dba', { service: 'mysql' }, 1],
    ])
  })

  test('can be posted; good ones are taken even when others are bad', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: `${V2}/alerts`,
      payload: [
        { labels: { alertname: 'A', empty: '' }, annotations: { x: 'y' }, generatorURL: 'http://g/' },
        { labels: { empty: '' } },
        { labels: { alertname: 'B' }, endsAt: '0001-01-01T00:00:00.000Z' },
        { labels: { alertname: 'C' }, startsAt: '2026-11-20T01:00:00Z', endsAt: '2026-11-20T02:00:00Z' },
      ],
    })
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      '1: Cannot take the alert: at least one label pair required',
    ])
    const alerts = await get<GettableAlert[]>(`${V2}/alerts`)
    expect(alerts.map(({ labels }) => labels)).toEqual(
      expect.arrayContaining([{ alertname: 'A' }, { alertname: 'B' }]),
    )
    expect(alerts).toHaveLength(2)
    expect(alerts[0]?.endsAt).toBe(new Date(STORY_START_MS + 300_000).toISOString())
  })

  test('of rules and of others, natively, with their fate', async () => {
    world.fire(DOWN)
    world.fire(DISK)
    await world.advanceTo(60)
    const { alerts } = await get<{ alerts: object[] }>('/api/alerts')
    expect(alerts).toEqual([
      expect.objectContaining({ state: 'pending', labels: { alertname: 'Soon' }, notification: null }),
      expect.objectContaining({
        labels: DOWN,
        notification: expect.objectContaining({ state: 'active', receivers: ['oncall'], isTold: true }),
      }),
      expect.objectContaining({ labels: DISK, state: 'firing' }),
    ])
  })
})

describe('silences', () => {
  test('are refused when they make no sense, with the reason', async () => {
    const refused = async (matchers: readonly object[], given = {}) => {
      const answer = await silence(matchers, given)
      expect(answer.statusCode).toBe(400)
      return answer.json()
    }
    expect(await refused([])).toContain('at least one matcher required')
    expect(await refused([matcher('a', '.*', true)])).toContain('must not match the empty string')
    expect(await refused([matcher('a', '(', true)])).toContain('missing closing )')
    expect(await refused([matcher('a', 'b')], { endsAt: '2026-11-20T02:00:00Z' })).toContain('end time')
    expect((await silence([matcher('a', 'b')], { id: 'nobody' })).statusCode).toBe(404)
  })

  test('are changed in place while their matchers stay, and end when those change', async () => {
    const first = (await silence([matcher('a', 'b')])).json().silenceID
    const longer = await silence([matcher('a', 'b')], { id: first, endsAt: '2026-11-20T05:00:00Z' })
    expect(longer.json().silenceID).toBe(first)
    const other = (await silence([matcher('a', 'c')], { id: first })).json().silenceID
    expect(other).not.toBe(first)
    expect((await get<{ status: { state: string } }>(`${V2}/silence/${first}`)).status.state).toBe('expired')
    expect((await get<{ id: string }[]>(`${V2}/silences?expired=false`)).map(({ id }) => id)).toEqual([other])
    expect((await app.inject({ method: 'DELETE', url: `${V2}/silence/${other}` })).statusCode).toBe(200)
    expect((await app.inject({ method: 'DELETE', url: `${V2}/silence/${other}` })).statusCode).toBe(200)
    expect((await app.inject({ method: 'DELETE', url: `${V2}/silence/x` })).statusCode).toBe(404)
    expect((await get<{ silences: object[] }>('/api/silences')).silences).toHaveLength(2)
    expect((await get<{ silences: object[] }>('/api/silences', 'other')).silences).toEqual([])
  })

  test('survive a restart', async () => {
    const id = (await silence([matcher('a', 'b')])).json().silenceID
    await world.restart()
    expect(world.alerting.state.silences.get(id)).toMatchObject({ comment: 'c', matchers: [{ name: 'a' }] })
  })
})

test('an alert explains itself before and after it is told', async () => {
  world.fire(DOWN)
  world.fire(SLOW)
  await world.advanceTo(1)
  const [slow] = await get<GettableAlert[]>(`${V2}/alerts?filter=alertname=Slow`)
  const before = await get(`/api/alerts/${slow?.fingerprint}/explain`)
  expect(before).toMatchObject({
    state: 'firing',
    inhibitedBy: [expect.any(String)],
    groups: [
      {
        receiver: 'oncall',
        groupKey: '{}:{service="cart"}',
        nextLookUnixNano: `${STORY_START_MS + 30_000}000000`,
        lastLookUnixNano: null,
        integrations: [{ integration: 'webhook/0', isKnownFiring: false, lastDecision: null }],
      },
    ],
  })
  await world.advanceTo(60)
  const after = await get<{ groups: object[] }>(`/api/alerts/${slow?.fingerprint}/explain`)
  expect(after.groups[0]).toMatchObject({
    wasMutedAtLastLook: true,
    integrations: [{ isKnownFiring: false, lastDecision: { action: 'send' } }],
  })
  expect((await app.inject('/api/alerts/0000000000000000/explain')).statusCode).toBe(404)
})

describe('notifications', () => {
  test('with attempts and receipts', async () => {
    world.answer = (_, { attempt }) =>
      attempt === 1
        ? { outcome: 'retry', reason: '503 Service Unavailable' }
        : { outcome: 'delivered', receipt: { response: '200 OK' } }
    world.fire(DOWN)
    await world.advanceTo(30)
    const pending = (await get<Notifications>('/api/notifications')).notifications
    expect(pending).toMatchObject([{ state: 'pending', attemptCount: 1, receiver: 'oncall' }])
    await world.advanceTo(60)
    const { notifications } = await get<Notifications>(
      '/api/notifications?state=delivered&integration=webhook',
    )
    expect(notifications).toMatchObject([
      {
        id: pending[0]?.id,
        state: 'delivered',
        reason: 'first notification',
        groupLabels: { service: 'cart' },
        alerts: [{ labels: DOWN, status: 'firing' }],
        attempts: [
          { number: 1, outcome: 'retry', reason: '503 Service Unavailable' },
          { number: 2, outcome: 'delivered', receipt: { response: '200 OK' } },
        ],
      },
    ])
    expect((await get<Notifications>('/api/notifications?receiver=dba')).notifications).toEqual([])
    expect((await get<Notifications>('/api/notifications', 'other')).notifications).toEqual([])
    expect((await get<Notifications>('/api/notifications?end=now-1h')).notifications).toEqual([])
    expect((await app.inject('/api/notifications?state=lost')).statusCode).toBe(400)
  })
})

test('status and receivers', async () => {
  const status = await get<{ config: { original: string } }>(`${V2}/status`)
  expect(status).toMatchObject({
    cluster: { status: 'disabled' },
    uptime: new Date(STORY_START_MS).toISOString(),
  })
  expect(status.config.original).toContain('receiver: oncall')
  expect(await get(`${V2}/receivers`)).toEqual([
    { name: 'oncall', labels: {} },
    { name: 'dba', labels: {} },
  ])
})
