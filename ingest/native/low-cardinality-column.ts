import type { Column } from './column.ts'
import type { Interner } from './interner.ts'

// ClickHouse's SerializationLowCardinality: the version of the keys, then flags with the width of the indexes.
const SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS = 1
const HAS_ADDITIONAL_KEYS = 1 << 9
const NEED_UPDATE_DICTIONARY = 1 << 10

/**
 * `LowCardinality(String)` or `LowCardinality(FixedString(n))`: a dictionary of the block's distinct values and an index
 * per row. Values are numbers of an {@link Interner} that is not cleared before the column is reset.
 */
export class LowCardinalityColumn implements Column {
  readonly type: string
  rows = 0
  readonly #interner: Interner
  readonly #hasLengths: boolean
  #indexes = new Uint32Array(1024)
  /** Interner number of each dictionary entry. */
  #dictionary = new Int32Array(64)
  #dictionarySize = 0
  /** Dictionary index of an interner number, valid where the epoch agrees. */
  #places = new Int32Array(1024)
  #epochs = new Int32Array(1024)
  #epoch = 1
  #markedRows = 0

  constructor(interner: Interner, fixedWidth?: number) {
    this.#interner = interner
    this.#hasLengths = fixedWidth === undefined
    this.type =
      fixedWidth === undefined ? 'LowCardinality(String)' : `LowCardinality(FixedString(${fixedWidth}))`
  }

  /** Appends the value with interner number `id`. */
  push(id: number): void {
    if (id >= this.#places.length) this.#growPlaces(id)
    if (this.#epochs[id] !== this.#epoch) this.#enter(id)
    if (this.rows === this.#indexes.length) {
      const grown = new Uint32Array(this.rows * 2)
      grown.set(this.#indexes)
      this.#indexes = grown
    }
    this.#indexes[this.rows++] = this.#places[id] as number
  }

  mark(): void {
    this.#markedRows = this.rows
  }

  rollback(): void {
    // Entries of the dictionary that nothing refers to do no harm.
    this.rows = this.#markedRows
  }

  reset(): void {
    this.rows = 0
    this.#dictionarySize = 0
    this.#epoch++
  }

  byteLength(): number {
    const { starts } = this.#interner
    let size = 8 + 8 + 8 + 8 + this.rows * 4
    for (let index = 0; index < this.#dictionarySize; index++) {
      const id = this.#dictionary[index] as number
      size += 5 + (starts[id + 1] as number) - (starts[id] as number)
    }
    return size
  }

  writeTo(target: Buffer, offset: number): number {
    return this.writeData(target, this.writePrefix(target, offset))
  }

  /** Native writes the prefixes of nested columns before all data. */
  writePrefix(target: Buffer, offset: number): number {
    target.writeUInt32LE(SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS, offset)
    target.writeUInt32LE(0, offset + 4)
    return offset + 8
  }

  /** The data behind the prefix; nothing at all when there are no rows. */
  writeData(target: Buffer, offset: number): number {
    if (this.rows === 0) return offset
    const widthCode = this.#dictionarySize <= 0x100 ? 0 : this.#dictionarySize <= 0x10000 ? 1 : 2
    target.writeUInt32LE(widthCode | HAS_ADDITIONAL_KEYS | NEED_UPDATE_DICTIONARY, offset)
    target.writeUInt32LE(0, offset + 4)
    target.writeUInt32LE(this.#dictionarySize, offset + 8)
    target.writeUInt32LE(0, offset + 12)
    let at = this.#writeDictionary(target, offset + 16)
    target.writeUInt32LE(this.rows, at)
    target.writeUInt32LE(0, at + 4)
    at += 8
    const { rows } = this
    const indexes = this.#indexes
    if (widthCode === 0) {
      for (let row = 0; row < rows; row++) target[at++] = indexes[row] as number
    } else if (widthCode === 1) {
      for (let row = 0; row < rows; row++) {
        const index = indexes[row] as number
        target[at++] = index
        target[at++] = index >>> 8
      }
    } else {
      for (let row = 0; row < rows; row++) at = target.writeUInt32LE(indexes[row] as number, at)
    }
    return at
  }

  #writeDictionary(target: Buffer, offset: number): number {
    const { starts, arena } = this.#interner
    let at = offset
    for (let index = 0; index < this.#dictionarySize; index++) {
      const id = this.#dictionary[index] as number
      const start = starts[id] as number
      const end = starts[id + 1] as number
      if (this.#hasLengths) {
        let size = end - start
        while (size > 0x7f) {
          target[at++] = (size & 0x7f) | 0x80
          size >>>= 7
        }
        target[at++] = size
      }
      target.set(arena.bytes.subarray(start, end), at)
      at += end - start
    }
    return at
  }

  #enter(id: number): void {
    if (this.#dictionarySize === this.#dictionary.length) {
      const grown = new Int32Array(this.#dictionarySize * 2)
      grown.set(this.#dictionary)
      this.#dictionary = grown
    }
    this.#epochs[id] = this.#epoch
    this.#places[id] = this.#dictionarySize
    this.#dictionary[this.#dictionarySize++] = id
  }

  #growPlaces(id: number): void {
    let size = this.#places.length * 2
    while (size <= id) size *= 2
    const places = new Int32Array(size)
    places.set(this.#places)
    this.#places = places
    const epochs = new Int32Array(size)
    epochs.set(this.#epochs)
    this.#epochs = epochs
  }
}
