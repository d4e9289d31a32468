import { randomFillSync } from 'node:crypto'

/** A request's place in a trace (W3C Trace Context level 1). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the caller's span; '' when the trace begins here. */
  readonly parentSpanId: string
  /** Handed on as it came; '' without. */
  readonly traceState: string
  readonly isSampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads `traceparent` and `tracestate`. What is absent or not valid begins a new trace, sampled with `probability` (0 to 1); `random` gives
 * numbers in `[0, 1)`.
 */
export function readTraceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
  probability: number,
  random: () => number,
): TraceContext {
  const parsed = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  const [, version = '', traceId = '', parentSpanId = '', flags = '', rest] = parsed ?? []
  const isValid =
    parsed !== null &&
    version !== 'ff' &&
    (version !== '00' || rest === undefined) &&
    !/^0+$/.test(traceId) &&
    !/^0+$/.test(parentSpanId)
  if (!isValid) {
    return { traceId: randomHex(16), parentSpanId: '', traceState: '', isSampled: random() < probability }
  }
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1
  return { traceId, parentSpanId, traceState: tracestate ?? '', isSampled }
}

/** The header for the next hop. */
export function traceparentOf(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

/** A new span id. */
export function newSpanId(): string {
  return randomHex(8)
}

const pool = Buffer.allocUnsafe(4096)
let used = pool.length

/** Asking the system for every id costs more than the rest of a request's telemetry. */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
