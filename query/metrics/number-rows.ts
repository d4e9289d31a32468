import { numberArraysOf } from '../../storage/block-columns.ts'
import type { ColumnBlock, NumberArray } from '../../storage/column-block.ts'
import { rowOf } from './series-reader.ts'

/** A row of a column of arrays of numbers, as a view. */
export type NumberRow = Exclude<NumberArray, BigInt64Array | BigUint64Array>

const EMPTY = new Float64Array(0)

/** Makes the function that gives what a row of an answer has in some columns of arrays of numbers, by their names. */
export function numberRows<Name extends string>(
  block: ColumnBlock,
  names: readonly Name[],
): (row: number) => Readonly<Record<Name, NumberRow>> {
  const columns = names.map((name) => [name, numberArraysOf(block, name)] as const)
  return (row) =>
    Object.fromEntries(columns.map(([name, column]) => [name, rowOf(column, row) ?? EMPTY])) as Record<
      Name,
      NumberRow
    >
}
