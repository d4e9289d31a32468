import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openVirtualAlerting, type VirtualAlerting } from '../test/support/virtual-alerting.ts'
import { applyEvent, emptyState, snapshotEvents } from './state/alerting-state.ts'

const GROUP_WAIT_S = 30
const GROUP_INTERVAL_S = 300
const REPEAT_S = 1000
const CONFIG = `
route:
  receiver: oncall
  group_by: [service]
  group_wait: ${GROUP_WAIT_S}s
  group_interval: ${GROUP_INTERVAL_S}s
  repeat_interval: ${REPEAT_S}s
receivers:
  - name: oncall
    webhook_configs: [{url: 'http://127.0.0.1:9/'}]
    email_configs: [{to: a@example.org, from: m@example.org, smarthost: 'localhost:25', send_resolved: true}]
`
const ALERTS = [
  { alertname: 'A', service: 'cart' },
  { alertname: 'B', service: 'cart' },
  { alertname: 'C', service: 'payments' },
] as const

type Step =
  | { readonly do: 'fire'; readonly alert: number }
  | { readonly do: 'resolve'; readonly alert: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'break'; readonly integration: 'webhook' | 'email' }
  | { readonly do: 'repair'; readonly integration: 'webhook' | 'email' }
  | { readonly do: 'restart' }

const alert = fc.nat(ALERTS.length - 1)
const integration = fc.constantFrom('webhook', 'email')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fire'), alert }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resolve'), alert }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait'),
      seconds: fc.constantFrom(1, 29, 31, 120, 299, 301, 900, 4000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('break'), integration }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repair'), integration }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
)

async function run(world: VirtualAlerting, steps: readonly Step[]): Promise<Set<number>> {
  const broken = new Set<string>()
  const firing = new Set<number>()
  world.answer = () => ({ outcome: 'delivered', receipt: { response: 'ok' } })
  world.answerTo = (integration) => (broken.has(integration) ? { outcome: 'retry', reason: 'away' } : null)
  for (const next of steps) {
    if (next.do === 'wait') await world.advanceTo(world.nowS() + next.seconds)
    else if (next.do === 'break') broken.add(next.integration)
    else if (next.do === 'repair') broken.delete(next.integration)
    else if (next.do === 'restart') await restartAndCompare(world)
    else if (next.do === 'fire' || next.do === 'resolve') {
      const labels = ALERTS[next.alert] ?? ALERTS[0]
      if (next.do === 'fire') world.fire(labels)
      else world.resolve(labels)
      if (next.do === 'fire') firing.add(next.alert)
      else firing.delete(next.alert)
    }
  }
  broken.clear()
  return firing
}

/** What the log remembers must be what was known. */
async function restartAndCompare(world: VirtualAlerting): Promise<void> {
  await world.alerting.wake()
  const known = (of: VirtualAlerting) => ({
    ledgers: [...of.alerting.state.groups.values()].map(({ id, ledgers, members }) => ({
      id,
      ledgers,
      members,
    })),
    intents: [...of.alerting.state.intents.values()],
    alerts: [...of.alerting.state.alerts.keys()].sort(),
  })
  const before = known(world)
  await world.restart()
  expect(known(world)).toEqual(before)
}

test('whatever happens: what fires is told, what was told is ended, nothing is delivered twice, no timer is broken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const world = await openVirtualAlerting(CONFIG)
      try {
        const firing = await run(world, steps)
        await world.advanceTo(world.nowS() + 3 * GROUP_INTERVAL_S + 300)
        const delivered = world.attempts.filter(({ outcome }) => outcome === 'delivered')

        expect(
          new Set(delivered.map(({ integration, notification }) => integration + notification.id)).size,
        ).toBe(delivered.length)
        for (const integration of ['webhook', 'email'] as const) {
          // Whoever was to hear of an alert hears of it in the end, be it late.
          const meant = new Set(
            world.attempts
              .filter((seen) => seen.integration === integration)
              .flatMap(({ notification }) => notification.alerts.map(({ labels }) => labels[1] ?? '')),
          )
          const last = new Map<string, string>()
          for (const { notification } of delivered.filter((seen) => seen.integration === integration)) {
            for (const { labels, status } of notification.alerts) last.set(labels[1] ?? '', status)
          }
          for (const [index, { alertname }] of ALERTS.entries()) {
            if (firing.has(index)) expect(`${alertname} ${last.get(alertname)}`).toBe(`${alertname} firing`)
            else if (meant.has(alertname))
              expect(`${alertname} ${last.get(alertname)}`).toBe(`${alertname} resolved`)
          }
          const ticks = new Map<string, number>()
          for (const intent of world.alerting.state.intents.values()) {
            if (!intent.integration.startsWith(integration)) continue
            const before = ticks.get(intent.groupId)
            const { reason } = intent.notification
            // A group that ended begins anew, with its group_wait.
            if (
              before !== undefined &&
              reason !== 'repeat interval elapsed' &&
              reason !== 'first notification'
            ) {
              expect(intent.tickMs - before).toBeGreaterThan(0)
            }
            if (reason === 'repeat interval elapsed') {
              expect(intent.tickMs - (before ?? 0)).toBeGreaterThanOrEqual(REPEAT_S * 1000)
            }
            ticks.set(intent.groupId, intent.tickMs)
          }
        }
        const copy = emptyState()
        for (const event of snapshotEvents(world.alerting.state)) applyEvent(copy, structuredClone(event))
        expect(copy).toEqual(world.alerting.state)
      } finally {
        await world.close()
      }
    }),
    {
      numRuns: 60,
      examples: [[[{ do: 'fire', alert: 0 }, { do: 'resolve', alert: 0 }, { do: 'restart' }]]],
    },
  )
})
