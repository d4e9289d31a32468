import type { Column } from './column.ts'
import { FixedColumn } from './fixed-column.ts'
import { OffsetsColumn } from './offsets-column.ts'

/** `Array(T)` of a fixed-width type. A row is made by pushing to `items` and then calling {@link ArrayColumn.endRow}. */
export class ArrayColumn implements Column {
  readonly type: string
  readonly items: FixedColumn
  readonly #offsets = new OffsetsColumn()

  constructor(itemType: string, width: number) {
    this.type = `Array(${itemType})`
    this.items = new FixedColumn(itemType, width)
  }

  get rows(): number {
    return this.#offsets.rows
  }

  /** Closes the row: every item pushed since the last call belongs to it. */
  endRow(): void {
    this.#offsets.push(this.items.rows)
  }

  mark(): void {
    this.#offsets.mark()
    this.items.mark()
  }

  rollback(): void {
    this.#offsets.rollback()
    this.items.rollback()
  }

  reset(): void {
    this.#offsets.reset()
    this.items.reset()
  }

  byteLength(): number {
    return this.#offsets.byteLength() + this.items.byteLength()
  }

  writeTo(target: Buffer, offset: number): number {
    return this.items.writeTo(target, this.#offsets.writeTo(target, offset))
  }
}
