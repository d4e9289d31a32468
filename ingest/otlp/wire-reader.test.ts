import fc from 'fast-check'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { int64Text, toDouble } from './any-value-text.ts'
import { WireReader } from './wire-reader.ts'

function open(bytes: Uint8Array): WireReader {
  const reader = new WireReader()
  reader.begin(bytes)
  return reader
}

const hex = (text: string) => Buffer.from(text, 'hex')

describe('the wire reader', () => {
  test('reads every varint as protobuf does', () => {
    const interesting = fc.constantFrom(
      0n,
      127n,
      128n,
      2n ** 28n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 63n,
      2n ** 64n - 1n,
    )
    fc.assert(
      fc.property(fc.oneof(interesting, fc.bigInt(0n, 2n ** 64n - 1n)), (value) => {
        const low = Number(value & 0xffff_ffffn)
        const high = Number(value >> 32n)
        const bytes = protobuf.Writer.create()
          .uint64({ low, high, unsigned: true } as never)
          .finish()
        const reader = open(bytes)
        reader.varint64(bytes.length)
        expect([reader.low, reader.high, reader.position]).toEqual([low, high, bytes.length])
        expect(open(bytes).varint32(bytes.length)).toBe(low)
        expect(int64Text(low, high)).toBe(String(BigInt.asIntN(64, value)))
      }),
    )
  })

  test('reads every double', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const bytes = protobuf.Writer.create().double(value).finish()
        const reader = open(bytes)
        reader.fixed64(8)
        expect(toDouble(reader.low, reader.high)).toBe(value)
      }),
    )
  })

  test('skips fields of every wire type', () => {
    const fields = ['08ff01', '110000000000000000', '1a03616263', '2500000000', '2b08012c', '2b2b08012c2c']
    for (const field of fields) {
      const bytes = hex(`${field}3801`)
      const reader = open(bytes)
      reader.skip(bytes.length, reader.tag(bytes.length))
      expect([reader.tag(bytes.length), reader.varint32(bytes.length)]).toEqual([7, 1])
    }
  })

  test.each([
    ['a number that ends early', '08ff', 'the message ends inside a number'],
    ['a number of eleven bytes', '088080808080808080808001', 'a number has more than ten bytes'],
    ['eight bytes that end early', '1100', 'the message ends inside a number'],
    ['four bytes that end early', '2500', 'the message ends inside a number'],
    ['a field longer than its message', '1a0461', 'a field is longer than the message it is in'],
    ['a field longer than memory', '1affffffff0f', 'a field is longer than the message it is in'],
    ['field 0', '0001', 'a field number is 0'],
    ['wire type 6', '0e', 'wire type 6 is unknown'],
    ['the end of a group that did not begin', '0c', 'wire type 4 is unknown'],
    ['a group that does not end', '0b0801', 'the message ends inside a number'],
    ['a group that ends as another', '0b14', 'a group is not closed'],
    ['groups nested too deeply', '0b'.repeat(40), 'groups are nested too deeply'],
  ])('refuses %s', (_name, text, message) => {
    const bytes = hex(text)
    const reader = open(bytes)
    expect(() => reader.skip(bytes.length, reader.tag(bytes.length))).toThrow(
      `Cannot decode the protobuf message: ${message} at byte`,
    )
  })
})
