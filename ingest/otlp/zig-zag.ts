/** The number that protobuf's sint32 encodes as `value`. */
export function unZigZag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

/** The double nearest to the number that protobuf's sint64 encodes as these halves. */
export function unZigZag64(low: number, high: number): number {
  const half = (high * 0x100000000 + low - (low & 1)) / 2
  return (low & 1) === 1 ? -half - 1 : half
}

/** What protobuf's sint32 or sint64 writes for a safe integer. */
export function zigZag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}
