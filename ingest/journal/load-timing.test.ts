import { expect, test } from 'vitest'
import { loadDelay } from './load-timing.ts'

const timing = { intervalMs: 1000, largeBytes: 100, maxBatchBytes: 1000 }

test.each([
  ['a small load waits until it is a second old', { pendingBytes: 10, oldestAgeMs: 300 }, 700],
  ['and no longer', { pendingBytes: 10, oldestAgeMs: 1000 }, 0],
  ['a large one waits twice as long', { pendingBytes: 100, oldestAgeMs: 300 }, 1700],
  ['a full one does not wait', { pendingBytes: 1000, oldestAgeMs: 0 }, 0],
  ['a busy receiver comes first', { pendingBytes: 1000, oldestAgeMs: 5000, isReceiverBusy: true }, 250],
  ['but not for ever', { pendingBytes: 1000, oldestAgeMs: 10_000, isReceiverBusy: true }, 0],
  [
    'nor until the journal is full',
    { pendingBytes: 1000, oldestAgeMs: 10, isReceiverBusy: true, journalShare: 0.3 },
    0,
  ],
  ['a clock set back holds up nothing', { pendingBytes: 10, oldestAgeMs: -86_400_000 }, 1000],
])('%s', (_name, situation, expected) => {
  expect(loadDelay({ isReceiverBusy: false, journalShare: 0, ...situation }, timing)).toBe(expected)
})
