import { z } from 'zod'
import { AppError } from '../../runtime/errors.ts'
import { cursorInt64, cursorTime } from '../traces/search-cursor.ts'

/** Where a search for log records goes on. */
export interface LogCursor {
  /** Of the search the cursor belongs to, see `searchFingerprint`. */
  readonly fingerprint: string
  /** The first page's range, epoch milliseconds. */
  readonly startMs: number
  readonly endMs: number
  /** The last record shown: its time in nanoseconds and the hash that orders records of one time. */
  readonly timeNs: bigint
  readonly hash: bigint
}

const stored = z.strictObject({
  f: z.string(),
  s: cursorTime,
  e: cursorTime,
  t: cursorInt64,
  h: z.string().regex(/^\d{1,20}$/),
})

/** Writes a cursor as text that is safe in a URL. */
export function encodeLogCursor({ fingerprint, startMs, endMs, timeNs, hash }: LogCursor): string {
  const json = { f: fingerprint, s: startMs, e: endMs, t: String(timeNs), h: String(hash) }
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}

/** Reads a cursor. Throws INVALID_ARGUMENT when it is malformed or was made by a search with another fingerprint. */
export function decodeLogCursor(text: string, fingerprint: string): LogCursor {
  const refuse = (why: string) =>
    new AppError('INVALID_ARGUMENT', `Cannot go on with the search: the cursor ${why}`, {
      details: { parameter: 'cursor' },
    })
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    throw refuse('is malformed')
  }
  const parsed = stored.safeParse(json)
  if (!parsed.success || BigInt(parsed.data.h) >= 2n ** 64n) throw refuse('is malformed')
  const { f, s, e, t, h } = parsed.data
  if (f !== fingerprint) throw refuse('belongs to a search with another filter')
  return { fingerprint: f, startMs: s, endMs: e, timeNs: BigInt(t), hash: BigInt(h) }
}
