import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import {
  openVirtualAlerting,
  STORY_START_MS,
  type VirtualAlerting,
} from '../../test/support/virtual-alerting.ts'
import { waitUntil } from '../../test/support/wait-until.ts'
import { emptyState } from '../state/alerting-state.ts'
import type { Intent } from '../state/intent.ts'
import { findNotifications } from './find-notifications.ts'
import { mirrorNotifications } from './mirror-notifications.ts'
import { createNotificationHistory, type NotificationHistory } from './notification-history.ts'

const DAY_S = 86_400
const CONFIG = `
route: {receiver: oncall, group_by: ['...'], group_wait: 0s, group_interval: 1m, repeat_interval: 7d}
receivers:
  - name: oncall
    webhook_configs: [{url: 'http://127.0.0.1:9/'}]
`
const EVER = { fromMs: 0, toMs: STORY_START_MS * 2, limit: 100 }

let deps: OpenQueryDeps
let world: VirtualAlerting

beforeAll(async () => {
  deps = await openQueryDeps()
  world = await openVirtualAlerting(CONFIG, { storage: deps.storage })
})

afterAll(async () => {
  await world.close()
  await deps.close()
})

test('messages outlive the memory of the process, each once', async () => {
  world.fire({ alertname: 'A', path: `/it's "odd"\\\n\t` }, { annotations: { summary: 'ü' } })
  world.fire({ alertname: 'B' }, { tenant: 'other' })
  await world.advanceTo(10)
  world.resolve({ alertname: 'A', path: `/it's "odd"\\\n\t` })
  await world.advanceTo(200)
  const history = createNotificationHistory(deps.storage)
  await waitUntil('both messages are stored', async () => (await history.find('default', EVER)).length === 2)
  const remembered = await findNotifications(world.alerting, 'default', EVER)
  expect(remembered.map(({ status, state }) => `${status} ${state}`)).toEqual([
    'resolved delivered',
    'firing delivered',
  ])
  // Stored again after a restart: still once.
  await world.restart()
  await world.advanceTo(300)
  world.resolve({ alertname: 'B' }, { tenant: 'other' })
  await world.advanceTo(400)
  await world.advanceTo(1.2 * DAY_S)
  await world.alerting.wake()
  expect([...world.alerting.state.intents.values()].filter((intent) => intent.endedAtMs !== null)).toEqual([])
  expect(await findNotifications(world.alerting, 'default', EVER)).toEqual(remembered)
  expect(await findNotifications(world.alerting, 'default', { ...EVER, limit: 1 })).toEqual(
    remembered.slice(0, 1),
  )
  const print = remembered[0]?.alerts[0]?.fingerprint
  expect(await findNotifications(world.alerting, 'default', { ...EVER, fingerprint: print })).toHaveLength(2)
  expect(await findNotifications(world.alerting, 'default', { ...EVER, state: 'failed' })).toEqual([])
  expect(await findNotifications(world.alerting, 'default', { ...EVER, receiver: 'nobody' })).toEqual([])
  expect(await findNotifications(world.alerting, 'default', { ...EVER, toMs: STORY_START_MS })).toEqual([])
})

describe('what ClickHouse does not take', () => {
  const logger = pino({ level: 'silent' })
  const intent = (id: string) => [id, { id, state: 'delivered' } as Intent] as const

  test('one message that is refused for good does not hold the others; while it is away, all wait', async () => {
    const state = { ...emptyState(), intents: new Map([intent('bad'), intent('good')]) }
    const saved: string[] = []
    let nowMs = 0
    let isAway = true
    const history: NotificationHistory = {
      find: async () => [],
      save: async ({ id }) => {
        if (isAway) throw new AppError('STORAGE_UNAVAILABLE', 'away')
        if (id === 'bad') throw new AppError('INTERNAL', 'no')
        saved.push(id)
      },
    }
    const clock = { now: () => nowMs, monotonic: () => nowMs }
    const mirror = mirrorNotifications(state, history, clock, logger)
    mirror.nudge()
    await mirror.close()
    isAway = false
    mirror.nudge()
    await mirror.close()
    expect(saved).toEqual([])
    nowMs = 10_000
    mirror.nudge()
    await mirror.close()
    expect(saved).toEqual(['good'])
  })

  test('a message with very many alerts is shortened', async () => {
    const world = await openVirtualAlerting(CONFIG.replace("['...']", '[]'), { storage: deps.storage })
    try {
      for (let pod = 0; pod < 150; pod += 1) {
        world.fire({ alertname: 'Many', pod: String(pod) }, { annotations: { text: 'x'.repeat(5000) } })
      }
      await world.advanceTo(1)
      const history = createNotificationHistory(deps.storage)
      await waitUntil('it is stored', async () => (await manyOf(history)).length === 1)
      const [stored] = await manyOf(history)
      expect([stored?.alertCount, stored?.alerts.length]).toEqual([150, 10])
    } finally {
      await world.close()
    }
  })

  async function manyOf(history: NotificationHistory) {
    const found = await history.find('default', EVER)
    return found.filter(({ alerts }) => alerts.some(({ labels }) => labels['alertname'] === 'Many'))
  }
})
