import { describe, expect, test } from 'vitest'
import { timeIntervalSchema } from '../configuration/time-interval-schema.ts'
import { isWithinInterval } from './is-within-interval.ts'

/** Interval, moments inside, moments outside. */
const CASES: readonly (readonly [object, readonly string[], readonly string[]])[] = [
  [{}, ['2026-11-20T00:00:00Z'], []],
  [
    { times: [{ start_time: '09:00', end_time: '17:00' }] },
    ['2026-11-20T09:00:00Z', '2026-11-20T16:59:59.999Z'],
    ['2026-11-20T08:59:59Z', '2026-11-20T17:00:00Z'],
  ],
  [
    { times: [{ start_time: '22:00', end_time: '24:00' }] },
    ['2026-11-20T23:59:59Z'],
    ['2026-11-20T00:00:00Z'],
  ],
  [
    { weekdays: ['monday:friday'] },
    ['2026-11-20T12:00:00Z'],
    ['2026-11-21T12:00:00Z', '2026-11-22T12:00:00Z'],
  ],
  [{ days_of_month: ['-3:-1'] }, ['2026-02-26T12:00:00Z', '2026-02-28T12:00:00Z'], ['2026-02-25T12:00:00Z']],
  [
    { days_of_month: ['1:5', '31'] },
    ['2026-11-05T12:00:00Z', '2026-12-31T00:00:00Z'],
    ['2026-11-30T12:00:00Z'],
  ],
  [{ days_of_month: ['20:-1'] }, ['2026-11-30T12:00:00Z'], ['2026-11-19T12:00:00Z']],
  [
    { months: ['january:march', 12] },
    ['2026-03-31T23:59:59Z', '2026-12-01T00:00:00Z'],
    ['2026-04-01T00:00:00Z'],
  ],
  [{ years: ['2026:2027', 2030] }, ['2027-12-31T23:00:00Z'], ['2028-01-01T00:00:00Z']],
  // 30 minutes past midnight in Berlin, the day before in UTC; then the hour that summer time takes and gives.
  [
    {
      weekdays: ['saturday'],
      times: [{ start_time: '00:00', end_time: '01:00' }],
      location: 'Europe/Berlin',
    },
    ['2026-11-20T23:30:00Z'],
    ['2026-11-21T00:30:00Z'],
  ],
  [
    { times: [{ start_time: '02:00', end_time: '03:00' }], location: 'Europe/Berlin' },
    ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
    ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z'],
  ],
]

describe.each(CASES)('%j', (given, inside, outside) => {
  const interval = timeIntervalSchema.parse(given)
  test.each(inside)('holds at %s', (time) => {
    expect(isWithinInterval(interval, Date.parse(time))).toBe(true)
  })
  test.runIf(outside.length > 0).each(outside)('does not hold at %s', (time) => {
    expect(isWithinInterval(interval, Date.parse(time))).toBe(false)
  })
})
