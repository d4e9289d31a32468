import { numberArraysOf } from '../../storage/block-columns.ts'
import type { ColumnBlock } from '../../storage/column-block.ts'
import type { NumberRow } from './number-rows.ts'
import { rowOf } from './series-reader.ts'

/** Lists of numbers of a series' samples, one after the other. */
export interface PackedLists {
  /** How long the list of a sample is. */
  lengthAt(place: number): number
  /** The list of a sample, as a view. */
  listAt(place: number): NumberRow
}

/** The columns, by the names that they get, in which {@link packedLists} finds the lists that stand in a column of arrays; `cast`: the numbers' type. */
export function packedListColumns(name: string, column: string, cast: string): Record<string, string> {
  return {
    [name]: `groupArrayArray(CAST(${column}, 'Array(${cast})'))`,
    [`${name}Lengths`]: `groupArray(toUInt32(length(${column})))`,
  }
}

const NOTHING = new Float64Array(0)
const NO_LISTS: PackedLists = { lengthAt: () => 0, listAt: () => NOTHING }

/** Makes the function that gives the lists of the series in a row of an answer. */
export function packedLists(block: ColumnBlock, name: string): (row: number) => PackedLists {
  const column = numberArraysOf(block, name)
  const lengthsColumn = numberArraysOf(block, `${name}Lengths`)
  return (row) => {
    const values = rowOf(column, row)
    const lengths = rowOf(lengthsColumn, row)
    if (values === null || lengths === null) return NO_LISTS
    const ends = new Uint32Array(lengths.length)
    let end = 0
    for (let place = 0; place < lengths.length; place += 1) {
      end += lengths[place] as number
      ends[place] = end
    }
    const startAt = (place: number) => (place === 0 ? 0 : (ends[place - 1] as number))
    return {
      lengthAt: (place) => (ends[place] as number) - startAt(place),
      listAt: (place) => values.subarray(startAt(place), ends[place]),
    }
  }
}
