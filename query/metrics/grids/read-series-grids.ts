import { type Labels, withLabel } from '../../../model/labels.ts'
import { hexOf, numberArraysOf, numbersOf } from '../../../storage/block-columns.ts'
import type { ColumnBlock } from '../../../storage/column-block.ts'
import { formatBound } from '../../promql/format-float.ts'
import type { GridSeriesAnswer } from '../../promql/series-source.ts'
import { rowOf } from '../series-reader.ts'
import { STALE_NAN_BITS } from '../stale-nan.ts'

/** The grids that a block of the statement for single series holds: columns `series`, `bound` of buckets, `grid`. */
export function readSeriesGrids(
  block: ColumnBlock,
  labelsOf: ReadonlyMap<string, Labels>,
): GridSeriesAnswer[] {
  const bounds = block.columns.has('bound') ? numbersOf(block, 'bound') : null
  const grids = numberArraysOf(block, 'grid')
  const answers: GridSeriesAnswer[] = []
  for (const [row, id] of hexOf(block, 'series').entries()) {
    const labels = labelsOf.get(id)
    const grid = rowOf(grids, row)
    if (labels === undefined || !(grid instanceof Float64Array)) continue
    const values = grid.slice()
    const present = presence(values)
    if (!present.includes(1)) continue
    const named = bounds === null ? labels : withLabel(labels, 'le', formatBound(Number(bounds[row])))
    answers.push({ labels: named, values, present })
  }
  return answers
}

/** Looked at as bits: as a number one NaN is like another. */
function presence(values: Float64Array): Uint8Array {
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  const present = new Uint8Array(values.length)
  const [low, high] = STALE_NAN_BITS
  for (let i = 0; i < values.length; i += 1) {
    if (halves[2 * i + 1] !== high || halves[2 * i] !== low) present[i] = 1
  }
  return present
}
