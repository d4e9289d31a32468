import { compressSync } from 'snappy'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../test/support/seeded-random.ts'
import { testSeed } from '../../test/support/test-seed.ts'
import { createUnsnappy } from './unsnappy.ts'

const MAX = 1 << 22

function unsnappyText(...bytes: readonly number[]): string {
  return Buffer.from(createUnsnappy()(Uint8Array.from(bytes), MAX)).toString()
}

const LITERAL_ABCD = [0x0c, 0x61, 0x62, 0x63, 0x64]

describe('blocks written by hand', () => {
  test.each<[string, number[], string]>([
    ['nothing', [0], ''],
    ['a literal', [4, ...LITERAL_ABCD], 'abcd'],
    ['a copy with an offset of 11 bits', [8, ...LITERAL_ABCD, 0x01, 0x04], 'abcdabcd'],
    ['a copy with an offset of 16 bits', [6, ...LITERAL_ABCD, 0x06, 0x03, 0x00], 'abcdbc'],
    ['a copy with an offset of 32 bits', [5, ...LITERAL_ABCD, 0x03, 0x01, 0, 0, 0], 'abcdd'],
    ['a copy of what it makes itself', [14, ...LITERAL_ABCD, 0x26, 0x02, 0x00], 'abcdcdcdcdcdcd'],
    ['a literal whose length stands behind the tag', [4, 0xf0, 3, ...LITERAL_ABCD.slice(1)], 'abcd'],
  ])('%s', (_what, bytes, text) => {
    expect(unsnappyText(...bytes)).toBe(text)
  })

  test.each<[string, number[], string]>([
    ['no bytes', [], 'does not begin with the length'],
    ['a length without end', [0x80, 0x80, 0x80, 0x80, 0x80], 'does not begin with the length'],
    ['a length beyond 32 bits', [0xff, 0xff, 0xff, 0xff, 0x7f], 'does not begin with the length'],
    ['too few bytes of a literal', [4, 0x0c, 0x61], 'ends inside a literal'],
    ['no length of a literal', [4, 0xf4, 3], 'ends inside a literal'],
    ['an endless literal', [4, 0xfc, 0xff, 0xff, 0xff, 0xff, 1], 'ends inside a literal'],
    ['too few bytes of a copy', [8, ...LITERAL_ABCD, 0x02, 0x01], 'ends inside a copy'],
    ['a copy from before the start', [8, ...LITERAL_ABCD, 0x01, 0x05], 'begins before the message'],
    ['a copy from nowhere', [8, ...LITERAL_ABCD, 0x01, 0x00], 'begins before the message'],
    ['a literal too many', [3, ...LITERAL_ABCD], 'longer than it declares'],
    ['a copy too many', [5, ...LITERAL_ABCD, 0x01, 0x04], 'longer than it declares'],
    ['too little', [5, ...LITERAL_ABCD], 'shorter than it declares'],
  ])('%s is malformed', (_what, bytes, message) => {
    expect(() => unsnappyText(...bytes)).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE', message: expect.stringContaining(message) }),
    )
  })
})

test('a length beyond the limit is refused, whatever follows', () => {
  const body = Uint8Array.from([0x81, 0x80, 0x80, 0x02, ...LITERAL_ABCD])
  expect(() => createUnsnappy()(body, MAX)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
})

test('what another implementation compressed comes back, one after the other', () => {
  const random = seededRandom(testSeed('unsnappy'))
  const unsnappy = createUnsnappy()
  for (let round = 0; round < 200; round++) {
    const size = random.pick([0, 1, 59, 60, 61, 255, 256, 257, 65_535, 65_537, 300_000, 3_000_000])
    const letters = random.pick([1, 2, 20, 256])
    const original = Buffer.alloc(size)
    for (let at = 0; at < size; at++) {
      const isRepeated = at > 100 && random.below(4) > 0
      original[at] = isRepeated ? (original[at - 97] as number) : random.below(letters)
    }
    expect(Buffer.from(unsnappy(compressSync(original), MAX)).equals(original)).toBe(true)
  }
})
