/**
 * Ids of generated spans, computed from a message's number instead of drawn: whoever knows the number can ask for the trace.
 * Four messages in a row (`serial` 4n … 4n+3) are what four proxies report of the same requests, one hop each.
 */
export const HOPS = 4

/** One of four 32-bit words of the trace id of request `pair` in message `serial`. */
export function traceWord(serial: number, pair: number, word: number): number {
  return mix(Math.floor(serial / HOPS), pair * 16 + word)
}

/** One of two 32-bit words of a span id: the server or the client span of request `pair` in message `serial`. */
export function spanWord(serial: number, pair: number, isClient: boolean, word: number): number {
  return mix(serial ^ 0x3c6ef372, pair * 16 + 4 + (isClient ? 2 : 0) + word)
}

/** A number that is the same for all hops of a request; `use` tells uses apart, 8 … 11. */
export function requestWord(serial: number, pair: number, use: number): number {
  return mix(Math.floor(serial / HOPS), pair * 16 + use)
}

/** A number of one hop of a request; `use` tells uses apart, 12 … 15. */
export function hopWord(serial: number, pair: number, use: number): number {
  return mix(serial ^ 0x7f4a7c15, pair * 16 + use)
}

/** The trace id of a request, 32 hex digits. */
export function traceIdOf(serial: number, pair: number): string {
  return [0, 1, 2, 3].map((word) => hex(traceWord(serial, pair, word))).join('')
}

/** The value of `guid:x-request-id` that all spans of a request carry, 16 hex digits. */
export function requestIdOf(serial: number, pair: number): string {
  return hex(requestWord(serial, pair, 8)) + hex(requestWord(serial, pair, 9))
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}

/** 32 well mixed bits of two numbers. */
function mix(a: number, b: number): number {
  let value = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul((b + 0x165667b1) | 0, 0xc2b2ae35)
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39)
  return (value ^ (value >>> 15)) >>> 0
}
