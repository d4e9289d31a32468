/** A place in the journal: a segment's number and a byte offset in its file. Records start and end at positions. */
export interface Position {
  readonly segment: number
  readonly offset: number
}

/** Negative when `a` is before `b`, 0 when they are the same. */
export function comparePositions(a: Position, b: Position): number {
  return a.segment - b.segment || a.offset - b.offset
}

/** The file name of a segment: sixteen digits, so that names sort as numbers. */
export function segmentFileName(segment: number): string {
  return `${String(segment).padStart(16, '0')}.wal`
}

/** The number of a segment's file; null when the name is no segment's. */
export function segmentOfFileName(name: string): number | null {
  const match = /^(\d{16})\.wal$/.exec(name)
  return match === null ? null : Number(match[1])
}
