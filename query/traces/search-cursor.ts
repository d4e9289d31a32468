import { createHash } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../../runtime/errors.ts'

/** Where a span stands in a search's order. `durationNs` decides first when the order is by duration. */
export interface SpanKey {
  readonly durationNs: bigint
  readonly startNs: bigint
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
}

/**
 * Where a search goes on. A trace is shown once, at the first of its matching spans in the search's order, although its other
 * matching spans come later in that order: so a page must know which traces were shown before. They are listed, up to
 * {@link MAX_LISTED}; when there are more, the list starts anew, and whatever has a matching span at or before `horizon`
 * counts as shown. So traces are neither repeated nor left out while spans arrive, with one exception: a trace not yet
 * shown that receives a late span before the horizon is left out.
 */
export interface SearchCursor {
  /** Of the search the cursor belongs to, see {@link searchFingerprint}. */
  readonly fingerprint: string
  /** The first page's range, epoch milliseconds. */
  readonly startMs: number
  readonly endMs: number
  /** The next page begins after this key. */
  readonly position: SpanKey
  readonly horizon: SpanKey | null
  /** Traces shown since the horizon: the last 16 hex digits of their ids. */
  readonly shown: readonly string[]
}

/** Traces that a cursor lists; 400 make a cursor of about 4,700 characters. */
export const MAX_LISTED = 400

/** Epoch milliseconds that a date can have: what comes back is not always what was given out. */
export const cursorTime = z.number().min(-8.64e15).max(8.64e15)
/** An Int64 as decimal text. */
export const cursorInt64 = z
  .string()
  .regex(/^-?\d{1,19}$/)
  .refine((text) => BigInt.asIntN(64, BigInt(text)) === BigInt(text))
const key = z.tuple([
  cursorInt64,
  cursorInt64,
  z.string().regex(/^[0-9a-f]{32}$/),
  z.string().regex(/^[0-9a-f]{16}$/),
])
const stored = z.strictObject({
  f: z.string(),
  s: cursorTime,
  e: cursorTime,
  p: key,
  h: key.nullable(),
})

/** Writes a cursor as text that is safe in a URL. */
export function encodeCursor(cursor: SearchCursor): string {
  const head = {
    f: cursor.fingerprint,
    s: cursor.startMs,
    e: cursor.endMs,
    p: keyTuple(cursor.position),
    h: cursor.horizon === null ? null : keyTuple(cursor.horizon),
  }
  const shown = Buffer.from(cursor.shown.join(''), 'hex').toString('base64url')
  return `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${shown}`
}

/** Reads a cursor. Throws INVALID_ARGUMENT when it is malformed or was made by a search with another fingerprint. */
export function decodeCursor(text: string, fingerprint: string): SearchCursor {
  const malformed = new AppError(
    'INVALID_ARGUMENT',
    'Cannot go on with the search: the cursor is malformed',
    {
      details: { parameter: 'cursor' },
    },
  )
  const [head = '', list = ''] = text.split('.')
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(head, 'base64url').toString())
  } catch {
    throw malformed
  }
  const parsed = stored.safeParse(json)
  const shown = Buffer.from(list, 'base64url').toString('hex')
  if (!parsed.success || shown.length % 16 !== 0 || shown.length > MAX_LISTED * 16) throw malformed
  const { f, s, e, p, h } = parsed.data
  if (f !== fingerprint) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'Cannot go on with the search: the cursor belongs to a search with another filter or order',
      { details: { parameter: 'cursor' } },
    )
  }
  return {
    fingerprint: f,
    startMs: s,
    endMs: e,
    position: spanKey(p),
    horizon: h === null ? null : spanKey(h),
    shown: shown.match(/.{16}/g) ?? [],
  }
}

/** What makes two searches the same: tenant, filter and order; not the range, which the cursor carries. */
export function searchFingerprint(tenant: string, filter: object, order: string): string {
  const entries = Object.entries(filter)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify([tenant, order, entries], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

function keyTuple({ durationNs, startNs, traceId, spanId }: SpanKey): z.output<typeof key> {
  return [String(durationNs), String(startNs), traceId, spanId]
}

function spanKey([durationNs, startNs, traceId, spanId]: z.output<typeof key>): SpanKey {
  return { durationNs: BigInt(durationNs), startNs: BigInt(startNs), traceId, spanId }
}
