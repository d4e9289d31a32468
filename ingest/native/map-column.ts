import type { Column } from './column.ts'
import type { Interner } from './interner.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { OffsetsColumn } from './offsets-column.ts'
import { StringColumn } from './string-column.ts'

/**
 * `Map(LowCardinality(String), String)`. A row is made by pushing keys and values alternately and then calling
 * {@link MapColumn.endRow}.
 */
export class MapColumn implements Column {
  readonly type = 'Map(LowCardinality(String), String)'
  readonly keys: LowCardinalityColumn
  readonly values = new StringColumn()
  readonly #offsets = new OffsetsColumn()

  constructor(interner: Interner) {
    this.keys = new LowCardinalityColumn(interner)
  }

  get rows(): number {
    return this.#offsets.rows
  }

  /** Closes the row: everything pushed since the last call belongs to it. */
  endRow(): void {
    this.#offsets.push(this.keys.rows)
  }

  mark(): void {
    this.#offsets.mark()
    this.keys.mark()
    this.values.mark()
  }

  rollback(): void {
    this.#offsets.rollback()
    this.keys.rollback()
    this.values.rollback()
  }

  reset(): void {
    this.#offsets.reset()
    this.keys.reset()
    this.values.reset()
  }

  byteLength(): number {
    return this.#offsets.byteLength() + this.keys.byteLength() + this.values.byteLength()
  }

  writeTo(target: Buffer, offset: number): number {
    let at = this.keys.writePrefix(target, offset)
    at = this.#offsets.writeTo(target, at)
    at = this.keys.writeData(target, at)
    return this.values.writeTo(target, at)
  }
}
