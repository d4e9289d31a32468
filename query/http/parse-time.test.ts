import { describe, expect, test } from 'vitest'
import { parseDurationNs, parseTime, resolveTime } from './parse-time.ts'

describe('a time', () => {
  test.each([
    ['2026-11-20T10:00:00Z', 1_795_168_800_000],
    ['2026-11-20t10:00:00.123456789z', 1_795_168_800_123],
    ['2026-11-20T12:00:00+02:00', 1_795_168_800_000],
    ['2026-11-20T12:00:00 02:00', 1_795_168_800_000],
    ['1795168800', 1_795_168_800_000],
    ['1795168800.123', 1_795_168_800_123],
    ['1795168800.1239', 1_795_168_800_123],
    ['0', 0],
    ['-1.5', -1500],
    ['now', 1000],
    ['now-1s', 0],
    ['now+1h30m', 5_401_000],
    ['now 1m', 61_000],
    ['now-7d', 1000 - 604_800_000],
  ])('%s is %i', (text, expected) => {
    const time = parseTime(text)
    expect(time === null ? null : resolveTime(time, 1000)).toBe(expected)
  })

  test.each([
    '',
    'yesterday',
    'now-',
    'now-1',
    'now-1x',
    'now-285616y',
    'now+9000y',
    '1795168800000',
    '2026-11-20',
    '2026-13-20T10:00:00Z',
    '1e9',
    'NaN',
  ])('%j is none', (text) => {
    expect(parseTime(text)).toBeNull()
  })
})

describe('a duration', () => {
  test.each([
    ['1h30m', 5_400_000_000_000n],
    ['250ms', 250_000_000n],
    ['1.5s', 1_500_000_000n],
    ['7d', 604_800_000_000_000n],
    ['250us', 250_000n],
    ['0', 0n],
  ])('%s is %i ns', (text, expected) => {
    expect(parseDurationNs(text)).toBe(expected)
  })

  test.each(['', '5', '-1s', '1 s', 's', '1y1'])('%j is none', (text) => {
    expect(parseDurationNs(text)).toBeNull()
  })
})
