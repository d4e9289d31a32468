import { describe, expect, test } from 'vitest'
import { readEpoch, readGoDuration, readRfc3339, readWhole } from './read-parameter.ts'

const AT = Date.parse('2026-11-20T10:00:00Z')

describe('an RFC 3339 time', () => {
  test.each([
    ['2026-11-20T10:00:00Z', AT, AT],
    ['2026-11-20t10:00:00z', AT, AT],
    ['2026-11-20T12:00:00+02:00', AT, AT],
    ['2026-11-20T12:00:00 02:00', AT, AT],
    ['2026-11-20T10:00:00.5Z', AT + 500, AT + 500],
    ['2026-11-20T10:00:00.123456789Z', AT + 123, AT + 124],
    ['2026-11-20T10:00:00.123000000Z', AT + 123, AT + 123],
    ['2026-11-20T10:00:00.000000001Z', AT, AT + 1],
  ])('%s', (text, down, up) => {
    expect(readRfc3339({ t: text }, 'down', 't')).toBe(down)
    expect(readRfc3339({ t: text }, 'up', 't')).toBe(up)
  })

  test.each(['2026-11-20', '2026-11-20T10:00:00', '2026-11-20 10:00:00Z', 'now', '2026-11-20T25:00:00Z'])(
    '%s is none',
    (text) => {
      expect(() => readRfc3339({ t: text }, 'down', 't')).toThrow(
        `Cannot read the parameter 't': expected an RFC 3339 time like 2026-11-20T10:00:00.5Z, found '${text}'`,
      )
    },
  )
})

test('what is absent or empty is null', () => {
  for (const query of [{}, { t: '' }, { t: [''] }, { t: undefined }]) {
    expect(readRfc3339(query, 'down', 't')).toBeNull()
    expect(readEpoch(query, 'seconds', 't')).toBeNull()
    expect(readGoDuration(query, 't')).toBeNull()
    expect(readWhole(query, 0, 't')).toBeNull()
  }
})

test('the first name that is there counts, and is named when it is wrong', () => {
  expect(readWhole({ b: '2', c: '3' }, 0, 'a', 'b', 'c')).toBe(2)
  expect(readWhole({ a: ['', '4'], b: '2' }, 0, 'a', 'b')).toBe(4)
  expect(() => readWhole({ b: '-2' }, 0, 'a', 'b')).toThrow(
    "'b': expected a whole number of at least 0, found '-2'",
  )
})

test('an epoch in its unit', () => {
  expect(readEpoch({ t: '1763625600123456' }, 'microseconds', 't')).toBeCloseTo(1763625600123.456, 3)
  expect(readEpoch({ t: '1763625600123' }, 'milliseconds', 't')).toBe(1763625600123)
  expect(readEpoch({ t: '1763625600' }, 'seconds', 't')).toBe(1763625600000)
  for (const text of ['-1', '1.5', '1e9', '99999999999999999']) {
    expect(() => readEpoch({ t: text }, 'seconds', 't')).toThrow('whole seconds since the epoch')
  }
})

test('a long value is not repeated in full', () => {
  expect(() => readGoDuration({ t: 'x'.repeat(5000) }, 't')).toThrow(/found 'x{100}'$/)
})
