import { AppError } from '../runtime/errors.ts'
import type { Column, ColumnBlock, NumberArray } from './column-block.ts'

/** A column of arrays of numbers: row i has `values` from `ends[i - 1]` (0 for the first) up to `ends[i]`. */
export interface NumberArrays {
  readonly ends: Float64Array
  readonly values: NumberArray
}

/** The column of that name when it holds numbers. Throws INTERNAL otherwise: the statement gives something else. */
export function numbersOf(block: ColumnBlock, name: string): NumberArray {
  return asNumbers(block.columns.get(name), name)
}

/** The column of that name when it holds texts. Throws INTERNAL otherwise. */
export function textsOf(block: ColumnBlock, name: string): readonly string[] {
  const column = block.columns.get(name)
  if (column?.kind !== 'text') throw otherwise(name, 'texts')
  return column.values
}

/** The column of that name when it holds byte strings of one width: one after the other. Throws INTERNAL otherwise. */
export function bytesOf(
  block: ColumnBlock,
  name: string,
): { readonly values: Uint8Array; readonly width: number } {
  const column = block.columns.get(name)
  if (column?.kind !== 'bytes') throw otherwise(name, 'byte strings')
  return column
}

/** The same, each as hex digits. */
export function hexOf(block: ColumnBlock, name: string): string[] {
  const { values, width } = bytesOf(block, name)
  // All at once: a call for each takes longer than the digits.
  const digits = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex')
  const texts: string[] = new Array(block.rows)
  for (let row = 0; row < block.rows; row += 1)
    texts[row] = digits.slice(2 * row * width, 2 * (row + 1) * width)
  return texts
}

/** The column of that name when it holds arrays of numbers. Throws INTERNAL otherwise. */
export function numberArraysOf(block: ColumnBlock, name: string): NumberArrays {
  const { ends, element } = arrayOf(block.columns.get(name), name)
  return { ends, values: asNumbers(element, name) }
}

/** The column of that name when it holds arrays of arrays of numbers. Throws INTERNAL otherwise. */
export function nestedArraysOf(
  block: ColumnBlock,
  name: string,
): { readonly ends: Float64Array; readonly inner: NumberArrays } {
  const { ends, element } = arrayOf(block.columns.get(name), name)
  const inner = arrayOf(element, name)
  return { ends, inner: { ends: inner.ends, values: asNumbers(inner.element, name) } }
}

function arrayOf(column: Column | undefined, name: string) {
  const [element] = column?.kind === 'array' ? column.elements : []
  if (column?.kind !== 'array' || element === undefined) throw otherwise(name, 'arrays')
  return { ends: column.ends, element }
}

function asNumbers(column: Column | undefined, name: string): NumberArray {
  if (column?.kind !== 'number') throw otherwise(name, 'numbers')
  return column.values
}

function otherwise(name: string, what: string): AppError {
  return new AppError('INTERNAL', `Cannot read an answer of ClickHouse: its column ${name} has no ${what}`)
}
