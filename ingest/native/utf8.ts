import { isUtf8 } from 'node:buffer'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** True when `bytes[start, end)` has no byte above 0x7f. */
export function isAsciiRange(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0
  for (let index = start; index < end; index++) seen |= bytes[index] as number
  return seen < 0x80
}

/**
 * Returns null when the range is valid UTF-8, else a copy in which every maximal ill-formed sequence is U+FFFD
 * (WHATWG Encoding, "replacement"), so that one broken byte does not cost the sender the message.
 */
export function repairUtf8(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  const range = bytes.subarray(start, end)
  if (isUtf8(range)) return null
  return encoder.encode(decoder.decode(range))
}
