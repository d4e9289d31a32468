import { describe, expect, test } from 'vitest'
import { EMPTY_LEDGER, type Ledger } from '../state/group.ts'
import { decideNotification, type GroupView } from './decide-notification.ts'

const HOUR = 3_600_000
const told = (firing: readonly string[], open = firing): Ledger => ({
  ...EMPTY_LEDGER,
  told: { firing, tickMs: 0 },
  open,
})

/** What is known, what is the case, with endings wanted and not; after Alertmanager's `DedupStage.needsUpdate`. */
const TABLE: readonly (readonly [string, Ledger, Partial<GroupView>, string, string])[] = [
  ['nothing known, one fires', EMPTY_LEDGER, { firing: ['a'] }, 'first notification', 'first notification'],
  ['nothing known, one ended', EMPTY_LEDGER, { resolved: ['a'] }, 'nothing', 'nothing'],
  [
    'the last message had none firing',
    told([]),
    { firing: ['a'] },
    'first notification',
    'first notification',
  ],
  ['another one fires', told(['a']), { firing: ['a', 'b'] }, 'new alerts added', 'new alerts added'],
  [
    'one is replaced by another',
    told(['a']),
    { firing: ['b'], resolved: ['a'] },
    'new alerts added',
    'new alerts added',
  ],
  ['all ended', told(['a']), { resolved: ['a'] }, 'all alerts resolved', 'close'],
  ['some ended', told(['a', 'b']), { firing: ['b'], resolved: ['a'] }, 'some alerts resolved', 'close'],
  ['nothing changed', told(['a']), { firing: ['a'] }, 'nothing', 'nothing'],
  ['none is left and none was known', told([]), { resolved: ['a'] }, 'nothing', 'nothing'],
  ['one instant before the repeat', told(['a']), { firing: ['a'], tickMs: HOUR - 1 }, 'nothing', 'nothing'],
  [
    'the repeat is due',
    told(['a']),
    { firing: ['a'], tickMs: HOUR },
    'repeat interval elapsed',
    'repeat interval elapsed',
  ],
  // Ours: what Alertmanager forgets.
  [
    'one ended before it could be told',
    { ...EMPTY_LEDGER, owed: ['a'] },
    { resolved: ['a'] },
    'all alerts resolved late',
    'all alerts resolved late',
  ],
  [
    'one ended while another that was told is muted',
    told(['a', 'b']),
    { resolved: ['a'] },
    'some alerts resolved',
    'close',
  ],
  [
    'it says what is waiting already',
    { ...EMPTY_LEDGER, owed: ['a'], pending: { intentId: 'i', firing: ['a'], resolved: [] } },
    { firing: ['a'], tickMs: 9 * HOUR },
    'nothing',
    'nothing',
  ],
  [
    'what is waiting is no longer true',
    { ...EMPTY_LEDGER, owed: ['a'], pending: { intentId: 'i', firing: ['a'], resolved: [] } },
    { firing: ['a', 'b'] },
    'first notification',
    'first notification',
  ],
  [
    'what is waiting was muted meanwhile',
    { ...EMPTY_LEDGER, owed: ['a'], pending: { intentId: 'i', firing: ['a'], resolved: [] } },
    {},
    'nothing',
    'nothing',
  ],
]

describe.each(TABLE)('%s', (_, ledger, view, wanted, unwanted) => {
  test.each([
    [true, wanted],
    [false, unwanted],
  ])('send_resolved %s', (sendResolved, expected) => {
    const decision = decideNotification(ledger, {
      firing: [],
      resolved: [],
      tickMs: 1,
      repeatIntervalMs: HOUR,
      sendResolved,
      ...view,
    })
    const said =
      decision.action === 'send' ? `${decision.reason}${decision.isLate ? ' late' : ''}` : decision.action
    expect(said).toBe(expected)
    if (decision.action === 'send' && !sendResolved && !decision.isLate) expect(decision.resolved).toEqual([])
  })
})
