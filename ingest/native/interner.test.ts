import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Interner } from './interner.ts'

/** Short byte strings, ill-formed ones among them, so that the same come again. */
const byteStrings = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.constantFrom(Buffer.from('über'), Buffer.from([0xff]))),
  { maxLength: 60 },
)

const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

describe('the interner', () => {
  test('gives equal strings equal numbers, and others others', () => {
    fc.assert(
      fc.property(byteStrings, fc.integer(), fc.boolean(), (strings, seed, isText) => {
        const interner = new Interner(seed, isText)
        const numbers = new Map<string, number>()
        const keyOf = (bytes: Uint8Array) => (isText ? decode(bytes) : Buffer.from(bytes).toString('latin1'))
        for (const bytes of strings) {
          const padded = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')])
          const number = interner.intern(padded, 1, padded.length - 1)
          const key = keyOf(bytes)
          expect(numbers.get(key) ?? number).toBe(number)
          numbers.set(key, number)
        }
        expect(new Set(numbers.values()).size).toBe(numbers.size)
        for (const [key, number] of numbers) if (isText) expect(interner.text(number)).toBe(key)
      }),
    )
  })

  test('grows', () => {
    const interner = new Interner(1)
    for (const _round of [1, 2]) {
      for (let index = 0; index < 20_000; index++) expect(interner.internText(`s${index}`)).toBe(index + 1)
    }
    expect(interner.text(12_346)).toBe('s12345')
    expect(interner.size).toBe(20_001)
  })

  test('starts anew when cleared', () => {
    const interner = new Interner(1)
    for (let index = 0; index < 100_000; index++) interner.internText(`s${index}`)
    const { generation } = interner
    interner.clear()
    expect(interner.generation).toBe(generation + 1)
    expect(interner.internText('')).toBe(0)
    expect(interner.internText('new')).toBe(1)
    expect(interner.internText('s5')).toBe(2)
    expect([interner.text(0), interner.text(1), interner.text(2)]).toEqual(['', 'new', 's5'])
  })

  test('gives ill-formed text the number of its repaired form', () => {
    const interner = new Interner(1)
    const repaired = interner.internText('caf\ufffd')
    expect(interner.intern(Buffer.from([0x63, 0x61, 0x66, 0xe9]), 0, 4)).toBe(repaired)
  })

  test('gives the same number whatever is guessed', () => {
    const interner = new Interner(7)
    const key = Buffer.from('http.method')
    const other = Buffer.from('http.methoD')
    const id = interner.intern(key, 0, key.length)
    const otherId = interner.intern(other, 0, other.length)
    for (const guess of [id, otherId, 0, 1000]) {
      expect(interner.internLike(key, 0, key.length, guess)).toBe(id)
      expect(interner.internLike(other, 0, other.length, guess)).toBe(otherId)
      expect(interner.internLike(key, 3, 3, guess)).toBe(0)
    }
    interner.clear()
    // What the guess stood for is forgotten.
    expect(interner.internLike(other, 0, other.length, otherId)).toBe(1)
    expect(interner.text(1)).toBe('http.methoD')
  })
})
