/** A part of a message's bytes: `[start, end)`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** No bytes: a field that is absent. */
export const EMPTY_RANGE: ByteRange = { start: 0, end: 0 }
