import { expect, test } from 'vitest'
import { INCIDENTS } from './incident.ts'
import { createMessageBox, type MessageBox, type ReceivedMessage } from './message-box.ts'
import { runIncidents } from './run-incidents.ts'
import type { PaymentsBehaviour, PaymentsEndpoint } from './start-payments.ts'

function endpoints(seen: PaymentsBehaviour[][]): PaymentsEndpoint[] {
  return [0, 1, 2].map((index) => {
    const own: PaymentsBehaviour[] = []
    seen[index] = own
    return { address: '127.0.0.1:1', behave: (behaviour) => void own.push(behaviour), close: async () => {} }
  })
}

function tell(
  box: MessageBox,
  alert: string,
  status: ReceivedMessage['status'],
  channels: readonly ReceivedMessage['channel'][],
): void {
  for (const channel of channels) {
    box.add({
      channel,
      receivedAtMs: 0,
      status,
      alerts: [alert],
      title: '',
      to: '',
      text: '',
      html: null,
      note: '',
    })
  }
}

const BOTH = ['mail', 'webhook'] as const

test('each incident lasts until it is told on both channels, and ends with its payments well', async () => {
  const box = createMessageBox()
  const seen: PaymentsBehaviour[][] = []
  const reports = await runIncidents({
    payments: endpoints(seen),
    box,
    patienceMs: 10_000,
    calmMs: 0,
    signal: new AbortController().signal,
    onStart: ({ alert }) => {
      setImmediate(() => {
        tell(box, 'SomethingElse', 'firing', BOTH)
        tell(box, alert, 'firing', BOTH)
      })
    },
    onOver: ({ alert }) => void setImmediate(() => tell(box, alert, 'resolved', BOTH)),
  })
  expect(reports).toEqual(INCIDENTS.map((incident) => ({ incident, isTold: true, isResolved: true })))
  expect(seen[1]).toEqual(
    INCIDENTS.flatMap(({ behaviours }) => [
      behaviours[1],
      expect.objectContaining({ failureShare: 0, delayMs: 5 }),
    ]),
  )
})

test('what is told on one channel only is not told', async () => {
  const box = createMessageBox()
  const reports = await runIncidents({
    payments: endpoints([]),
    box,
    patienceMs: 20,
    calmMs: 0,
    signal: new AbortController().signal,
    onStart: ({ alert }) => void setImmediate(() => tell(box, alert, 'firing', ['mail', 'mail'])),
    onOver: () => {},
  })
  expect(reports.map(({ isTold, isResolved }) => [isTold, isResolved])).toEqual([
    [false, false],
    [false, false],
    [false, false],
  ])
})

test('a wish to end is obeyed at once', async () => {
  const ending = new AbortController()
  const running = runIncidents({
    payments: endpoints([]),
    box: createMessageBox(),
    patienceMs: 3_600_000,
    calmMs: 0,
    signal: ending.signal,
    onStart: () => void setImmediate(() => ending.abort()),
    onOver: () => {},
  })
  await expect(running).rejects.toThrow(/aborted/)
})
