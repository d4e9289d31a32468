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
