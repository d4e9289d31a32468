import { describe, expect, test } from 'vitest'
import { parseStartOffsets } from './parse-start-offsets.ts'

describe('start times in the notation of tests', () => {
  test.each<[string, (number | null)[]]>([
    ['', []],
    ['-1m', [-60_000]],
    ['0 0s +5s -10ms', [0, 0, 5_000, -10]],
    ['-1m30s', [-90_000]],
    ['_ -1m _', [null, -60_000, null]],
    ['_x3 -1m', [null, null, null, -60_000]],
    ['-1mx2', [-60_000, -60_000, -60_000]],
    ['-1m-30sx2', [-60_000, -90_000, -120_000]],
    ['-2m+1mx2', [-120_000, -60_000, 0]],
    ['-1m * *x1', [-60_000, -60_000, -60_000, -60_000]],
    ['-1m _ *', [-60_000, null, -60_000]],
    ['*', [0]],
  ])('reads %j', (text, expected) => {
    expect(parseStartOffsets(text)).toEqual(expected)
  })

  test.each(['1q', '-10', 'soon', '-1m-30s', 'x3', '-1mx', '_x-1', '-1mx1000001'])('refuses %j', (text) => {
    expect(() => parseStartOffsets(text)).toThrow(SyntaxError)
  })
})
