import { createHash } from 'node:crypto'

/**
 * How far behind the multiples of an interval something is done again and again, milliseconds: a pure function of its key, so that those with other
 * keys are spread, and every process and every restart agrees.
 */
export function spreadOffset(key: string, intervalMs: number): number {
  const hash = createHash('sha256').update(key).digest().readBigUInt64BE(0)
  return Number(hash % BigInt(intervalMs))
}

/** The last slot at or before a time: a multiple of the interval and the offset. */
export function slotAt(nowMs: number, intervalMs: number, offsetMs: number): number {
  return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs
}
