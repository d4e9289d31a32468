/** Writes one protobuf message. Field by field, in the order called; what equals a default is the caller's to leave out. */
export interface ProtobufWriter {
  /** int64, uint32, bool or enum. Negative numbers take ten bytes, as proto3 has it. */
  varint(field: number, value: number | bigint): void
  fixed64(field: number, value: bigint): void
  fixed32(field: number, value: number): void
  double(field: number, value: number): void
  string(field: number, text: string): void
  bytes(field: number, bytes: Uint8Array): void
  /** A nested message: whatever `write` writes. */
  message(field: number, write: () => void): void
  /** The bytes written so far. The writer must not be used again. */
  finish(): Uint8Array
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5
const LONGEST_VARINT = 10

/** Makes a writer with an empty message. */
export function createProtobufWriter(): ProtobufWriter {
  let buffer = Buffer.allocUnsafe(16_384)
  let length = 0

  function reserve(bytes: number): void {
    if (length + bytes <= buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + bytes))
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }

  function smallVarint(value: number): void {
    while (value > 127) {
      buffer[length++] = (value % 128) + 128
      value = Math.floor(value / 128)
    }
    buffer[length++] = value
  }

  function tag(field: number, wireType: number, bytesToFollow: number): void {
    reserve(LONGEST_VARINT + bytesToFollow)
    smallVarint(field * 8 + wireType)
  }

  return {
    varint(field, value) {
      tag(field, VARINT, LONGEST_VARINT)
      if (typeof value === 'number' && value >= 0) return smallVarint(value)
      let rest = BigInt.asUintN(64, BigInt(value))
      while (rest > 127n) {
        buffer[length++] = Number(rest & 127n) + 128
        rest >>= 7n
      }
      buffer[length++] = Number(rest)
    },
    fixed64(field, value) {
      tag(field, FIXED64, 8)
      length = buffer.writeBigUInt64LE(BigInt.asUintN(64, value), length)
    },
    fixed32(field, value) {
      tag(field, FIXED32, 4)
      length = buffer.writeUInt32LE(value, length)
    },
    double(field, value) {
      tag(field, FIXED64, 8)
      length = buffer.writeDoubleLE(value, length)
    },
    string(field, text) {
      const size = Buffer.byteLength(text)
      tag(field, LENGTH_DELIMITED, LONGEST_VARINT + size)
      smallVarint(size)
      length += buffer.write(text, length)
    },
    bytes(field, bytes) {
      tag(field, LENGTH_DELIMITED, LONGEST_VARINT + bytes.length)
      smallVarint(bytes.length)
      buffer.set(bytes, length)
      length += bytes.length
    },
    message(field, write) {
      tag(field, LENGTH_DELIMITED, 1)
      const start = length
      // Most messages are shorter than 128 bytes: leave one byte for the length and move the content when it needs more.
      length += 1
      write()
      const size = length - start - 1
      const extra = varintSize(size) - 1
      if (extra > 0) {
        reserve(extra)
        buffer.copyWithin(start + 1 + extra, start + 1, length)
      }
      length = start
      smallVarint(size)
      length += size
    },
    finish: () => buffer.subarray(0, length),
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1
  return size
}
