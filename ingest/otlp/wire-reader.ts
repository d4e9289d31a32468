import { AppError } from '../../runtime/errors.ts'

/** Protobuf wire types (https://protobuf.dev/programming-guides/encoding). */
export const VARINT = 0
export const FIXED64 = 1
export const LENGTH_DELIMITED = 2
export const FIXED32 = 5

const START_GROUP = 3
const END_GROUP = 4
const MAX_GROUP_DEPTH = 32

/**
 * Walks protobuf wire bytes without making objects. The caller reads a tag, looks at field and wire type and then reads
 * or skips the value; `limit` is the end of the message it is in. Every method throws MALFORMED_MESSAGE when the bytes
 * end early or a value is not well formed.
 */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0)
  position = 0
  /** The wire type of the last tag. */
  wireType = 0
  /** Low and high half of the last 64-bit value. */
  low = 0
  high = 0

  /** Starts at the first byte of a message. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes
    this.position = 0
  }

  /** Reads a tag; returns the field number and leaves the wire type in `wireType`. */
  tag(limit: number): number {
    const tag = this.varint32(limit)
    const field = tag >>> 3
    if (field === 0) this.#fail('a field number is 0')
    this.wireType = tag & 7
    return field
  }

  /** Reads a varint and returns its low 32 bits, unsigned; the higher bits are dropped, as protobuf does for 32-bit fields. */
  varint32(limit: number): number {
    const { bytes } = this
    let position = this.position
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= limit) this.#fail('the message ends inside a number')
      const byte = bytes[position++] as number
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return value >>> 0
      }
    }
    return this.#fail('a number has more than ten bytes')
  }

  /** Reads a varint into `low` and `high`. */
  varint64(limit: number): void {
    const { bytes } = this
    let position = this.position
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= limit) this.#fail('the message ends inside a number')
      const byte = bytes[position++] as number
      const part = byte & 0x7f
      if (shift < 28) low |= part << shift
      else if (shift === 28) {
        low |= part << 28
        high |= part >>> 4
      } else high |= part << (shift - 32)
      if (byte < 0x80) {
        this.position = position
        this.low = low >>> 0
        this.high = high >>> 0
        return
      }
    }
    this.#fail('a number has more than ten bytes')
  }

  /** Reads eight bytes into `low` and `high`. */
  fixed64(limit: number): void {
    const { bytes, position } = this
    if (position + 8 > limit) this.#fail('the message ends inside a number')
    this.low = u32(bytes, position)
    this.high = u32(bytes, position + 4)
    this.position = position + 8
  }

  /** Reads four bytes as an unsigned number. */
  fixed32(limit: number): number {
    const { position } = this
    if (position + 4 > limit) this.#fail('the message ends inside a number')
    this.position = position + 4
    return u32(this.bytes, position)
  }

  /** Reads a length, checks it against `limit` and returns where the value ends; `position` is where it starts. */
  enter(limit: number): number {
    const size = this.varint32(limit)
    const end = this.position + size
    if (end > limit) this.#fail('a field is longer than the message it is in')
    return end
  }

  /** Skips the value of the last tag. */
  skip(limit: number, field: number, depth = 0): void {
    switch (this.wireType) {
      case VARINT:
        this.varint32(limit)
        return
      case FIXED64:
        this.position += 8
        break
      case LENGTH_DELIMITED:
        this.position = this.enter(limit)
        return
      case FIXED32:
        this.position += 4
        break
      case START_GROUP:
        this.#skipGroup(limit, field, depth)
        return
      default:
        this.#fail(`wire type ${this.wireType} is unknown`)
    }
    if (this.position > limit) this.#fail('the message ends inside a number')
  }

  /** Throws unless the last tag has wire type `wireType`. */
  expect(wireType: number, what: string): void {
    if (this.wireType !== wireType) this.#fail(`${what} has wire type ${this.wireType}, not ${wireType}`)
  }

  #skipGroup(limit: number, group: number, depth: number): void {
    if (depth >= MAX_GROUP_DEPTH) this.#fail('groups are nested too deeply')
    for (;;) {
      const field = this.tag(limit)
      if (this.wireType === END_GROUP) {
        if (field !== group) this.#fail('a group is not closed')
        return
      }
      this.skip(limit, field, depth + 1)
    }
  }

  #fail(state: string): never {
    throw new AppError(
      'MALFORMED_MESSAGE',
      `Cannot decode the protobuf message: ${state} at byte ${this.position}`,
    )
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}
