import { describe, expect, test } from 'vitest'
import { mountSmallVolume, whyNoVolume } from '../../test/support/small-volume.ts'
import { openVirtualAlerting } from '../../test/support/virtual-alerting.ts'
import type { Evidence, EvidenceRequest } from '../evidence.ts'

const CONFIG = `
route: {receiver: oncall, group_by: [service], group_wait: 0s}
receivers: [{name: oncall, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]
`
const A = { alertname: 'A', service: 'cart', pod: 'x' }
const EVIDENCE: Evidence = {
  traces: [],
  endpointsEjected: [],
  by503Flag: [{ flags: 'UO', count: 3, share: 1 }],
  links: [],
  problem: null,
}

describe('evidence', () => {
  test('is gathered once per message, and the same on every attempt and after a restart', async () => {
    const asked: EvidenceRequest[] = []
    const world = await openVirtualAlerting(CONFIG, {
      evidence: async (request) => {
        asked.push(request)
        return { ...EVIDENCE, links: [{ title: String(asked.length), url: 'http://x/' }] }
      },
    })
    try {
      world.answer = () => ({ outcome: 'retry', reason: 'away' })
      world.fire(A)
      world.fire({ ...A, pod: 'y' })
      await world.advanceTo(3)
      await world.restart()
      await world.advanceTo(20)
      expect(world.attempts.length).toBeGreaterThan(3)
      expect(
        new Set(world.attempts.map(({ notification }) => JSON.stringify(notification.evidence))).size,
      ).toBe(1)
      expect(asked).toEqual([
        expect.objectContaining({
          tenant: 'default',
          labels: ['alertname', 'A', 'service', 'cart'],
          windowMs: 300_000,
        }),
      ])
    } finally {
      await world.close()
    }
  })

  test('is the same in every message that one look made of the same alerts, however late it is sent', async () => {
    let asked = 0
    const world = await openVirtualAlerting(
      `global: {smtp_smarthost: 'mail.example:25', smtp_from: 'm@b.example'}
${CONFIG.replace('webhook_configs:', "email_configs: [{to: 'a@b.example'}], webhook_configs:")}`,
      { evidence: async () => ({ ...EVIDENCE, links: [{ title: String(++asked), url: 'http://x/' }] }) },
    )
    const hung = Promise.withResolvers<{ outcome: 'delivered'; receipt: { response: string } }>()
    const receipt = { response: '200 OK' }
    const services = ['1', '2', '3', '4', '5', '6']
    try {
      // More groups than are told at once: the last webhooks begin when their mails were sent long ago.
      world.answer = () => hung.promise
      world.answerTo = (integration) => (integration === 'email' ? { outcome: 'delivered', receipt } : null)
      for (const service of services) world.fire({ ...A, service })
      await expect
        .poll(() => {
          world.turnTo(1)
          return world.attempts.length
        })
        .toBe(services.length)
      world.turnTo(60)
      hung.resolve({ outcome: 'delivered', receipt })
      await world.advanceTo(70)
      expect(asked).toBe(services.length)
      for (const service of services) {
        const titles = world.attempts
          .filter(({ notification }) => notification.groupLabels.includes(service))
          .map(({ integration, notification }) => [integration, notification.evidence?.links[0]?.title])
        expect(titles).toEqual([
          ['email', titles[0]?.[1]],
          ['webhook', titles[0]?.[1]],
        ])
      }
      // Another look, other evidence.
      world.fire({ ...A, service: '1', pod: 'y' })
      await world.advanceTo(400)
      expect(asked).toBe(services.length + 1)
      expect(world.attempts).toHaveLength(2 * services.length + 2)
    } finally {
      await world.close()
    }
  })

  test('that cannot be gathered is said, and costs no message', async () => {
    const world = await openVirtualAlerting(CONFIG, {
      evidence: () => Promise.reject(new Error('ClickHouse is away')),
    })
    try {
      world.fire(A)
      await world.advanceTo(1)
      expect(world.told()).toHaveLength(1)
      expect(world.attempts[0]?.notification.evidence?.problem).toBe(
        'Cannot gather evidence: ClickHouse is away',
      )
    } finally {
      await world.close()
    }
  })
})

const noVolume = whyNoVolume()
if (noVolume !== null) console.warn(`The test of a full disk is skipped: ${noVolume}`)

test.skipIf(noVolume !== null)('with a full disk messages go out all the same', async () => {
  const volume = mountSmallVolume(1)
  try {
    const world = await openVirtualAlerting(CONFIG, { parentDir: volume.path })
    volume.fill()
    world.fire({ ...A, filler: 'x'.repeat(20_000) })
    await world.advanceTo(1)
    expect(world.told()).toHaveLength(1)
    await expect(
      world.alerting.record([{ type: 'alert-gone', tenant: 'default', fingerprint: 'x'.repeat(20_000) }]),
    ).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' })
    volume.free()
    world.resolve({ ...A, filler: 'x'.repeat(20_000) })
    await world.advanceTo(1000)
    expect(world.told()).toHaveLength(2)
    // What could not be written then is on disk now.
    await world.restart()
    expect([...world.alerting.state.intents.values()].map(({ state }) => state)).toEqual([
      'delivered',
      'delivered',
    ])
    await world.close()
  } finally {
    volume.remove()
  }
})
