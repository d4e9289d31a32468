/**
 * Writes protobuf from the end to the start: the length of a nested message is known before its prefix is written, so
 * nothing is measured twice or moved. Fields are therefore written in reverse order, value first, then its tag.
 */
export interface BackwardWriter {
  /** What is written is `bytes.subarray(at)`. */
  bytes: Buffer
  at: number
}

/** Makes an empty writer with room for about `capacity` bytes; it grows as needed. */
export function createBackwardWriter(capacity: number): BackwardWriter {
  const size = Math.max(capacity, 64)
  return { bytes: Buffer.allocUnsafeSlow(size), at: size }
}

/** What was written so far; a view, valid until the next write. */
export function writtenBytes(writer: BackwardWriter): Buffer {
  return writer.bytes.subarray(writer.at)
}

/** Makes room for `size` bytes before what is written, and returns where they start. */
export function reserve(writer: BackwardWriter, size: number): number {
  if (writer.at < size) grow(writer, size)
  writer.at -= size
  return writer.at
}

/** Unsigned varint of a safe, non-negative integer. */
export function writeVarint(writer: BackwardWriter, value: number): void {
  if (value < 0x80) {
    const at = reserve(writer, 1)
    writer.bytes[at] = value
    return
  }
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  let at = reserve(writer, size)
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) writer.bytes[at++] = (rest % 0x80) | 0x80
  writer.bytes[at] = rest
}

/** Varint of the low 64 bits (two's complement for negative values). */
export function writeVarint64(writer: BackwardWriter, value: bigint): void {
  let rest = BigInt.asUintN(64, value)
  if (rest <= 0xffff_ffffn) {
    writeVarint(writer, Number(rest))
    return
  }
  const groups: number[] = []
  for (; rest > 0x7fn; rest >>= 7n) groups.push(Number(rest & 0x7fn) | 0x80)
  groups.push(Number(rest))
  const at = reserve(writer, groups.length)
  writer.bytes.set(groups, at)
}

/** Little-endian 32 bits of an unsigned integer. */
export function writeFixed32(writer: BackwardWriter, value: number): void {
  const at = reserve(writer, 4)
  writer.bytes.writeUInt32LE(value, at)
}

/** Little-endian low 64 bits. */
export function writeFixed64(writer: BackwardWriter, value: bigint): void {
  const at = reserve(writer, 8)
  writer.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at)
}

/** Little-endian IEEE 754 double. */
export function writeDouble(writer: BackwardWriter, value: number): void {
  const at = reserve(writer, 8)
  writer.bytes.writeDoubleLE(value, at)
}

/** UTF-8 of a string without its length; lone surrogates become U+FFFD. Returns the number of bytes. */
export function writeUtf8(writer: BackwardWriter, text: string): number {
  const length = text.length
  // A call into the engine costs more than a short loop: most names and keys are short ASCII.
  if (length <= 32) {
    const at = reserve(writer, length)
    let index = 0
    for (; index < length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) break
      writer.bytes[at + index] = unit
    }
    if (index === length) return length
    writer.at += length
  }
  const size = Buffer.byteLength(text)
  const at = reserve(writer, size)
  writer.bytes.write(text, at, size, 'utf8')
  return size
}

/** Bytes without their length. */
export function writeBytes(writer: BackwardWriter, bytes: Uint8Array): void {
  const at = reserve(writer, bytes.length)
  writer.bytes.set(bytes, at)
}

/** How many bytes are written: a mark that stays valid when the writer grows. */
export function writtenLength(writer: BackwardWriter): number {
  return writer.bytes.length - writer.at
}

function grow(writer: BackwardWriter, size: number): void {
  const used = writer.bytes.length - writer.at
  const bytes = Buffer.allocUnsafeSlow(Math.max(writer.bytes.length * 2, used + size))
  writer.bytes.copy(bytes, bytes.length - used, writer.at)
  writer.at = bytes.length - used
  writer.bytes = bytes
}
