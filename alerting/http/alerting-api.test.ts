import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { systemClock } from '../../runtime/clock.ts'
import { createHttpServer } from '../../runtime/http-server.ts'
import {
  openVirtualAlerting,
  STORY_START_MS,
  type VirtualAlerting,
} from '../../test/support/virtual-alerting.ts'
import type { Evidence } from '../evidence.ts'
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

const EVIDENCE: Evidence = {
  traces: [
    {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      why: 'failed',
      durationMs: 40.5,
      service: 'cart',
      operation: 'GET /cart',
      link: null,
    },
  ],
  endpointsEjected: [
    { cluster: 'cart', endpoint: '10.0.0.7:80', ejectedAtMs: STORY_START_MS, reason: '5xx' },
  ],
  by503Flag: [{ flags: 'UF', count: 3, share: 1 }],
  links: [{ title: 'Traces', url: 'http://meshwatch.test/api/traces' }],
  problem: null,
}

let world: VirtualAlerting
let app: FastifyInstance
/** What describes the answers of a route, by method, address and status. */
let described: Map<string, z.ZodType>

beforeEach(async () => {
  world = await openVirtualAlerting(CONFIG, { evidence: async () => EVIDENCE })
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
  described = new Map()
  app.addHook('onRoute', ({ method, url, schema }) => {
    const answers = (schema?.response ?? {}) as Readonly<Record<string, z.ZodType>>
    for (const [status, answer] of Object.entries(answers))
      described.set(`${method} ${url} ${status}`, answer)
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
  if (url.startsWith('/api/')) expectDescribed(`GET ${url}`, answer)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json()
}

/** The answer is one that the description of its route has. */
function expectDescribed(request: string, answer: LightMyRequestResponse): void {
  const [method, url = ''] = request.split(' ')
  const path = url
    .replace(/\?.*/, '')
    .replace(/(\/alerts)\/[^/]+/, '$1/:fingerprint')
    .replace(/(\/silences)\/[^/]+/, '$1/:id')
  const schema = described.get(`${method} ${path} ${answer.statusCode}`)
  expect(schema, `${request} ${answer.statusCode}`).toBeDefined()
  expect(schema?.safeParse(answer.json()).error, request).toBeUndefined()
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

  test('are made, changed and ended natively', async () => {
    const ask = async (method: 'POST' | 'GET' | 'DELETE', url: string, payload?: object) => {
      const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
      expectDescribed(`${method} ${url}`, answer)
      return { status: answer.statusCode, ...answer.json() }
    }
    const given = {
      matchers: [{ name: 'team', value: 'db', isRegex: false }],
      startsAt: '2026-11-20T02:00:00Z',
      endsAt: '2026-11-20T05:00:00Z',
      createdBy: 'ann',
      comment: 'maintenance',
      unknown: 'members are passed over',
    }
    const made = await ask('POST', '/api/silences', given)
    expect(made).toMatchObject({
      status: 200,
      state: 'active',
      matchers: [{ name: 'team', op: '=', value: 'db', text: 'team="db"' }],
      startsUnixNano: `${STORY_START_MS}000000`,
    })
    const { id } = made
    expect(await ask('POST', '/api/silences', { ...given, id, comment: 'longer' })).toMatchObject({
      comment: 'longer',
    })
    expect(await ask('GET', `/api/silences/${id}?unknown=1`)).toMatchObject({ status: 200, id })
    expect(await ask('DELETE', `/api/silences/${id}`)).toMatchObject({ status: 200, state: 'expired' })
    expect(await ask('DELETE', `/api/silences/${id}`)).toMatchObject({ status: 200, state: 'expired' })
    await get('/api/silences')
    const unknown = 'Cannot find silence x: there is no such silence'
    for (const method of ['GET', 'DELETE'] as const) {
      expect(await ask(method, '/api/silences/x')).toMatchObject({
        status: 404,
        error: { message: unknown },
      })
    }
    expect(await ask('POST', '/api/silences', { ...given, id: 'x' })).toMatchObject({ status: 404 })
    expect(await ask('POST', '/api/silences', { matchers: [] })).toMatchObject({
      status: 400,
      error: {
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(
          /^Cannot read the silence: matchers: at least one matcher required; startsAt: /,
        ),
      },
    })
    expect(await ask('POST', '/api/silences')).toMatchObject({
      status: 400,
      error: { message: 'Cannot read the silence: Invalid input: expected object, received undefined' },
    })
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
  const unknown = await app.inject('/api/alerts/0000000000000000/explain')
  expect(unknown.statusCode).toBe(404)
  expectDescribed('GET /api/alerts/0000000000000000/explain', unknown)
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
    const refused = await app.inject('/api/notifications?state=lost')
    expect(refused.statusCode).toBe(400)
    expectDescribed('GET /api/notifications', refused)
    const more = { notifications, more: 1 }
    expect(described.get('GET /api/notifications 200')?.safeParse(more).success).toBe(false)
    expect(refused.json().error.message).toMatch(/^Cannot read the query parameters: state: /)
  })
})

test('a message that some recipients have tells the fate of each, and its evidence', async () => {
  world.answerTo = (integration) =>
    integration === 'webhook'
      ? null
      : {
          outcome: 'partially',
          receipt: {
            response: '250 queued',
            recipients: [
              { recipient: 'a@example.org', fate: 'accepted', response: '250 ok' },
              { recipient: 'b@example.org', fate: 'retry', response: '451 later' },
            ],
          },
          retry: ['b@example.org'],
          reason: 'b@example.org: 451 later',
        }
  world.fire(DISK)
  await world.advanceTo(40)
  const { notifications } = await get<Notifications>('/api/notifications?integration=email')
  expect(notifications).toMatchObject([{ state: 'pending', evidence: EVIDENCE }])
  expect(notifications).toHaveProperty('[0].attempts[0].receipt.recipients[1].fate', 'retry')
  const { alerts } = await get<{ alerts: { fingerprint: string; labels: object }[] }>('/api/alerts')
  const disk = alerts.find(({ labels }) => 'team' in labels)
  const explained = await get<object>(`/api/alerts/${disk?.fingerprint}/explain`)
  expect(explained).toMatchObject({
    groups: [{ route: { matchers: ['team="db"'] }, integrations: [{ pending: { state: 'pending' } }] }],
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
