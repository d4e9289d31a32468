import { describe, expect, test } from 'vitest'
import { formatByteSize, parseByteSize } from './byte-size.ts'

describe('parseByteSize', () => {
  test.each([
    ['0', 0],
    ['1024', 1024],
    ['12B', 12],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['16MiB', 16_777_216],
    ['3MB', 3_000_000],
    ['2GiB', 2_147_483_648],
    ['1GB', 1_000_000_000],
    ['1TiB', 1_099_511_627_776],
    ['2TB', 2_000_000_000_000],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes)
  })

  test.each(['', 'GiB', '1.5GiB', '-1', '1 GiB', '1gib', '1PiB', '99999999TiB', '1e3', '1constructor'])(
    '%j is no size',
    (text) => {
      expect(parseByteSize(text)).toBeNull()
    },
  )
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [2_147_483_648, '2 GiB'],
  [5 * 2 ** 50, '5120 TiB'],
])('formatByteSize(%d) is %s', (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text)
})
