import type { Interner } from '../native/interner.ts'
import type { MapColumn } from '../native/map-column.ts'
import type { StringColumn } from '../native/string-column.ts'
import { isWithinDepth, KIND_STRING, pushAnyValue } from './any-value-text.ts'
import { LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

/** Told of every attribute that is written: the key's interner number and the letter of the value's kind. */
export type AttributeObserver = (keyId: number, kind: number) => void

/**
 * Collects the attributes of one span, resource, … while its message is walked, then writes them as one row of a map
 * column. A repeated key keeps its last value (as SDKs do when an attribute is set twice). Attributes beyond `maxCount` are
 * left out and counted in `overflow`.
 */
export class AttributeReader {
  /** How many attributes there are. */
  count = 0
  /** How many were left out because there were too many. */
  overflow = 0
  /** Whether a value is nested deeper than we keep. */
  isTooDeep = false
  readonly keyIds: Int32Array
  /** Where each value's AnyValue message stands in the wire bytes. */
  readonly valueStarts: Int32Array
  readonly valueEnds: Int32Array
  readonly #interner: Interner
  #serials = new Int32Array(1024)
  #serial = 0
  #hasDuplicate = false
  #kinds: Uint8Array

  constructor(interner: Interner, maxCount: number) {
    this.#interner = interner
    this.keyIds = new Int32Array(maxCount)
    this.valueStarts = new Int32Array(maxCount)
    this.valueEnds = new Int32Array(maxCount)
    this.#kinds = new Uint8Array(maxCount)
  }

  /** Starts with no attributes. */
  begin(): void {
    this.count = 0
    this.overflow = 0
    this.isTooDeep = false
    this.#hasDuplicate = false
    this.#nextSerial()
  }

  /** Takes the KeyValue in `[reader.position, end)`; leaves the reader at `end`. */
  add(reader: WireReader, end: number): void {
    let keyStart = 0
    let keyEnd = 0
    let valueStart = 0
    let valueEnd = 0
    while (reader.position < end) {
      const field = reader.tag(end)
      if (field === 1 && reader.wireType === LENGTH_DELIMITED) {
        keyEnd = reader.enter(end)
        keyStart = reader.position
        reader.position = keyEnd
      } else if (field === 2 && reader.wireType === LENGTH_DELIMITED) {
        valueEnd = reader.enter(end)
        valueStart = reader.position
        reader.position = valueEnd
      } else {
        reader.skip(end, field)
      }
    }
    if (this.count === this.keyIds.length) {
      this.overflow++
      return
    }
    // 0x2a and 0x32 are the tags of an array and of a key-value list: only these can be nested.
    if (valueEnd > valueStart) {
      const first = reader.bytes[valueStart]
      if (first === 0x2a || first === 0x32 || valueEnd - valueStart > 0x7f) {
        if (!isWithinDepth(reader, valueStart, valueEnd)) this.isTooDeep = true
        reader.position = end
      }
    }
    // A sender's spans have the same keys in the same order.
    const keyId = this.#interner.internLike(reader.bytes, keyStart, keyEnd, this.keyIds[this.count] as number)
    if (keyId >= this.#serials.length) this.#growSerials(keyId)
    if (this.#serials[keyId] === this.#serial) this.#hasDuplicate = true
    this.#serials[keyId] = this.#serial
    const index = this.count++
    this.keyIds[index] = keyId
    this.valueStarts[index] = valueStart
    this.valueEnds[index] = valueEnd
  }

  /** Keeps the last of each repeated key. Call once, after the last {@link add}. */
  finish(): void {
    if (!this.#hasDuplicate) return
    this.#nextSerial()
    let to = this.count
    for (let from = this.count - 1; from >= 0; from--) {
      const keyId = this.keyIds[from] as number
      if (this.#serials[keyId] === this.#serial) continue
      this.#serials[keyId] = this.#serial
      to--
      this.keyIds[to] = keyId
      this.valueStarts[to] = this.valueStarts[from] as number
      this.valueEnds[to] = this.valueEnds[from] as number
    }
    this.keyIds.copyWithin(0, to, this.count)
    this.valueStarts.copyWithin(0, to, this.count)
    this.valueEnds.copyWithin(0, to, this.count)
    this.count -= to
  }

  /** Writes one row of `map` and of `kinds`. Throws MALFORMED_MESSAGE. The reader's position is undefined afterwards. */
  writeTo(reader: WireReader, map: MapColumn, kinds: StringColumn, observe: AttributeObserver | null): void {
    let areAllStrings = true
    for (let index = 0; index < this.count; index++) {
      const keyId = this.keyIds[index] as number
      map.keys.push(keyId)
      const kind = pushAnyValue(
        reader,
        this.valueStarts[index] as number,
        this.valueEnds[index] as number,
        map.values,
      )
      this.#kinds[index] = kind
      if (kind !== KIND_STRING) areAllStrings = false
      if (observe !== null) observe(keyId, kind)
    }
    map.endRow()
    if (areAllStrings) kinds.pushEmpty()
    else kinds.pushRaw(this.#kinds, 0, this.count)
  }

  /**
   * Looks at the value of attribute `index` as text or integer: returns 1 with the text's range in `start`/`end`, 2 with the
   * integer in `integer`, 3 with a boolean in `integer`, else 0.
   */
  peek(reader: WireReader, index: number): 0 | 1 | 2 | 3 {
    const end = this.valueEnds[index] as number
    reader.position = this.valueStarts[index] as number
    if (reader.position === end) return 0
    const field = reader.tag(end)
    if (field === 1 && reader.wireType === LENGTH_DELIMITED) {
      this.end = reader.enter(end)
      this.start = reader.position
      return 1
    }
    if ((field === 3 || field === 2) && reader.wireType === VARINT) {
      reader.varint64(end)
      this.integer = reader.high * 0x100000000 + reader.low
      return field === 3 ? 2 : 3
    }
    return 0
  }
  /** Result of {@link peek}. */
  start = 0
  /** Result of {@link peek}. */
  end = 0
  /** Result of {@link peek}; exact below 2^53, and above it no status code or count is meant. */
  integer = 0

  #nextSerial(): void {
    if (this.#serial === 0x7fffffff) {
      this.#serial = 0
      this.#serials.fill(0)
    }
    this.#serial++
  }

  #growSerials(id: number): void {
    let size = this.#serials.length * 2
    while (size <= id) size *= 2
    const serials = new Int32Array(size)
    serials.set(this.#serials)
    this.#serials = serials
  }
}
