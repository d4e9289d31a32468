import { formatFloat } from './format-float.ts'

/** Bytes that a float has at most. */
export const LONGEST_FLOAT = 32

const DIGIT_0 = 48
const POINT = 46
const MINUS = 45
const INT_BOUND = 2 ** 31
const SCALES = [1, 10, 100, 1000]
/** Below it, and with so few decimals, a number has at most 12 digits: no other decimal of so few digits reads back as the same float. */
const FAST_BELOW = 1e9

/** Writes a number as ASCII, as {@link formatFloat} has it, into `bytes` from `at` on, where {@link LONGEST_FLOAT} must fit; where it ends. */
export function writeFloat(bytes: Buffer, at: number, value: number): number {
  const size = Math.abs(value)
  if (size > 0 && size < FAST_BELOW) {
    for (let decimals = 0; decimals < SCALES.length; decimals += 1) {
      const scale = SCALES[decimals] as number
      const scaled = Math.round(size * scale)
      if (scaled / scale !== size) continue
      if (value < 0) bytes[at++] = MINUS
      return decimals === 0 ? writeInteger(bytes, at, scaled) : writeScaled(bytes, at, scaled, decimals)
    }
  }
  return at + bytes.write(formatFloat(value), at, 'latin1')
}

/** Writes a whole number, not negative and at most 2^53 - 1, as {@link writeFloat} does. */
export function writeInteger(bytes: Uint8Array, at: number, value: number): number {
  let end = at + 1
  for (let bound = 10; value >= bound; bound *= 10) end += 1
  writeDigits(bytes, at, end, value)
  return end
}

function writeScaled(bytes: Uint8Array, at: number, scaled: number, decimals: number): number {
  const scale = SCALES[decimals] as number
  const whole = Math.floor(scaled / scale)
  const point = writeInteger(bytes, at, whole)
  bytes[point] = POINT
  const end = point + 1 + decimals
  writeDigits(bytes, point + 1, end, scaled - whole * scale)
  return end
}

/** The last digits of a number, so that they fill the place. */
function writeDigits(bytes: Uint8Array, from: number, end: number, value: number): void {
  let i = end - 1
  let rest = value
  for (; rest >= INT_BOUND; i -= 1) {
    const next = Math.trunc(rest / 10)
    bytes[i] = DIGIT_0 + (rest - next * 10)
    rest = next
  }
  // Integers of 32 bits are divided in a tenth of the time.
  for (let small = rest | 0; i >= from; i -= 1) {
    const next = (small / 10) | 0
    bytes[i] = DIGIT_0 + small - next * 10
    small = next
  }
}
