import { firstAfter } from '../../../model/first-after.ts'
import { compareLabels } from '../../../model/labels.ts'
import type { MatrixSeries, QueryResult } from '../query-engine.ts'
import type { Moments } from './split-range.ts'

/** What a range query gives. */
export type RangeResult = Extract<QueryResult, { readonly type: 'matrix' }>

/** The answer of a range query at some of its moments. */
export interface Piece extends Moments {
  readonly result: RangeResult
}

/**
 * Puts the answers of neighbouring parts together, the earliest first: each series' points one behind the other, sorted by labels; each note once.
 */
export function joinPieces(pieces: readonly Piece[]): RangeResult {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return only.result
  return {
    type: 'matrix',
    matrix: joinMatrices(pieces.map(({ result }) => result.matrix)),
    warnings: [...new Set(pieces.flatMap(({ result }) => result.warnings))],
    infos: [...new Set(pieces.flatMap(({ result }) => result.infos))],
  }
}

/** The answer at those of its moments that lie between two others, both inclusive. */
export function slicePiece(piece: Piece, startMs: number, endMs: number): Piece {
  if (startMs <= piece.startMs && endMs >= piece.endMs) return piece
  const { result } = piece
  const matrix: MatrixSeries[] = []
  for (const series of result.matrix) {
    const { timestamps, values, histograms } = series
    const from = firstAfter(timestamps, startMs - 1)
    const to = firstAfter(timestamps, endMs)
    if (from === to) continue
    matrix.push({
      labels: series.labels,
      timestamps: timestamps.subarray(from, to),
      values: values.subarray(from, to),
      ...(histograms == null ? {} : { histograms: histograms.slice(from, to) }),
    })
  }
  return {
    startMs: Math.max(startMs, piece.startMs),
    endMs: Math.min(endMs, piece.endMs),
    result: { ...result, matrix },
  }
}

/** The lists are sorted by labels, so that one pass over all of them at once is enough. */
function joinMatrices(lists: readonly (readonly MatrixSeries[])[]): MatrixSeries[] {
  const joined: MatrixSeries[] = []
  const next = lists.map(() => 0)
  const joinTimes = createTimesJoiner()
  const joinValues = createValuesJoiner()
  for (;;) {
    let least: MatrixSeries | null = null
    for (const [index, list] of lists.entries()) {
      const head = list[next[index] as number]
      if (head !== undefined && (least === null || compareLabels(head.labels, least.labels) < 0)) least = head
    }
    if (least === null) return joined
    const same: MatrixSeries[] = []
    for (const [index, list] of lists.entries()) {
      const head = list[next[index] as number]
      if (head === undefined || (head !== least && compareLabels(head.labels, least.labels) !== 0)) continue
      same.push(head)
      next[index] = (next[index] as number) + 1
    }
    joined.push(joinSeries(same, joinTimes, joinValues))
  }
}

type JoinTimes = (parts: readonly Float64Array[]) => Float64Array

/** Most series of an answer have the same moments, the same memory even: these share what is joined of them, too. */
function createTimesJoiner(): JoinTimes {
  let known: readonly Float64Array[] = []
  let joined = new Float64Array(0)
  return (parts) => {
    const isKnown = parts.length === known.length && parts.every((part, i) => isSameView(part, known[i]))
    if (!isKnown) {
      known = parts
      joined = concatenated(parts)
    }
    return joined
  }
}

function isSameView(a: Float64Array, b: Float64Array | undefined): boolean {
  return a.buffer === b?.buffer && a.byteOffset === b.byteOffset && a.length === b.length
}

function concatenated(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const joined = new Float64Array(lengthOf(parts))
  writeAll(parts, joined)
  return joined
}

function lengthOf(parts: readonly Float64Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

function writeAll(parts: readonly Float64Array[], joined: Float64Array): void {
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
}

/** Values of many series stand in one piece of memory: many small ones take more of it than they are long. */
function createValuesJoiner(): JoinTimes {
  let block = new Float64Array(0)
  let used = 0
  return (parts) => {
    const count = lengthOf(parts)
    if (used + count > block.length) {
      block = new Float64Array(Math.max(count, VALUES_AT_ONCE))
      used = 0
    }
    const joined = block.subarray(used, used + count)
    used += count
    writeAll(parts, joined)
    return joined
  }
}

const VALUES_AT_ONCE = 131_072

function joinSeries(
  parts: readonly MatrixSeries[],
  joinTimes: JoinTimes,
  joinValues: JoinTimes,
): MatrixSeries {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) return first
  const timestamps = joinTimes(parts.map((part) => part.timestamps))
  const values = joinValues(parts.map((part) => part.values))
  const labels = first?.labels ?? []
  if (parts.every(({ histograms }) => histograms == null)) return { labels, timestamps, values }
  const histograms = parts.flatMap((part) => part.histograms ?? Array.from(part.timestamps, () => null))
  return { labels, timestamps, values, histograms }
}
