import type { ColumnBlock } from '../../storage/column-block.ts'

/** The rows of a column `Array(Float64)`. */
export function numberLists(block: ColumnBlock, name: string): number[][] {
  const column = block.columns.get(name)
  const elements = column?.kind === 'array' ? column.elements[0] : undefined
  if (column?.kind !== 'array' || elements?.kind !== 'number') return []
  const numbers = Array.from(elements.values, Number)
  return Array.from(column.ends, (end, row) => numbers.slice(row === 0 ? 0 : column.ends[row - 1], end))
}
