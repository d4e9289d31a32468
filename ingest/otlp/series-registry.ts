import { createHash } from 'node:crypto'
import { ByteBuffer } from '../native/byte-buffer.ts'
import { Interner } from '../native/interner.ts'
import { anyValueJson, jsonString } from './any-value-text.ts'
import type { AttributeKeyRegistry } from './attribute-key-registry.ts'
import type { AttributeReader } from './attribute-reader.ts'
import type { ByteRange } from './byte-range.ts'
import type { MetricColumns } from './metric-blocks.ts'
import type { Origin } from './origin-registry.ts'
import type { WireReader } from './wire-reader.ts'

/** Types of metrics; the numbers are those of the column `type`. */
export const METRIC_TYPES = { gauge: 1, sum: 2, histogram: 3, exponentialHistogram: 4, summary: 5 } as const

/** What the series of one metric have in common. Ranges are of the reader's bytes. */
export interface MetricHead {
  readonly origin: Origin
  /** One of {@link METRIC_TYPES}. */
  readonly type: number
  readonly temporality: number
  readonly isMonotonic: boolean
  readonly name: ByteRange
  readonly unit: ByteRange
  readonly description: ByteRange
  readonly metadata: AttributeReader
}

/** What a series registry works with. */
export interface SeriesRegistryParts {
  readonly reader: WireReader
  readonly text: Interner
  readonly binary: Interner
  readonly keys: AttributeKeyRegistry
  readonly columns: MetricColumns['series']
  /** Makes hash collisions unpredictable to senders. */
  readonly seed: number
}

const MAX_CACHED = 200_000
const MAX_CACHED_BYTES = 32 << 20
const ID_BYTES = 16

/**
 * Gives a metric's name, type, origin … and a set of attributes their 16-byte series id, and writes a row of
 * `metric_series` the first time in a day that a tenant sends the series. The order of attributes makes no difference to the id.
 */
export class SeriesRegistry {
  /** Ids of the known series; that of series `n` starts at `n * 16`. */
  ids = new Uint8Array(ID_BYTES * 1024)
  readonly #parts: SeriesRegistryParts
  /** Numbers the bytes that make up a series; a hit saves describing and hashing it. */
  readonly #known: Interner
  /** The day on which the row of a known series was written. */
  #days = new Int32Array(1024).fill(-1)
  readonly #key = new ByteBuffer(1024)
  #headLength = 0
  #head: MetricHead | undefined
  #headText = ''
  #tenant = ''
  #tenantId = 0
  #day = 0
  #generation = -1

  constructor(parts: SeriesRegistryParts) {
    this.#parts = parts
    this.#known = new Interner(parts.seed, false)
  }

  /** Says whose message follows and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    const { generation } = this.#parts.text
    // Keys hold numbers of the text interner.
    const isFull = this.#known.size > MAX_CACHED || this.#known.arena.length > MAX_CACHED_BYTES
    if (generation !== this.#generation || isFull) this.forget()
    this.#generation = generation
    this.#tenant = tenant
    this.#tenantId = tenantId
    this.#day = day
  }

  /** Writes every series anew: what was written may not have reached the disk. */
  forget(): void {
    this.#known.clear()
    this.#days.fill(-1)
  }

  /** Says which metric the following series belong to. `head` is read until the next call. */
  beginMetric(head: MetricHead): void {
    this.#head = head
    this.#headText = ''
    const key = this.#key
    key.length = 0
    key.pushVarint(this.#tenantId)
    key.pushVarint(head.origin.originId)
    key.pushVarint((head.type << 3) | (head.temporality << 1) | (head.isMonotonic ? 1 : 0))
    for (const range of [head.name, head.unit, head.description]) this.#pushRange(range.start, range.end)
    key.pushVarint(head.metadata.count)
    this.#pushAttributes(head.metadata)
    this.#headLength = key.length
  }

  /** The number of the series with these attributes (finished); see {@link ids}. Throws MALFORMED_MESSAGE. */
  resolve(attributes: AttributeReader): number {
    const key = this.#key
    key.length = this.#headLength
    this.#pushAttributes(attributes)
    const number = this.#known.intern(key.bytes, 0, key.length)
    if (number >= this.#days.length) this.#grow(number)
    if (this.#days[number] !== this.#day) {
      this.#write(number, attributes)
      this.#days[number] = this.#day
    }
    return number
  }

  #pushAttributes(attributes: AttributeReader): void {
    for (let index = 0; index < attributes.count; index++) {
      this.#key.pushVarint(attributes.keyIds[index] as number)
      this.#pushRange(attributes.valueStarts[index] as number, attributes.valueEnds[index] as number)
    }
  }

  #pushRange(start: number, end: number): void {
    this.#key.pushVarint(end - start)
    this.#key.pushBytes(this.#parts.reader.bytes, start, end)
  }

  #write(number: number, attributes: AttributeReader): void {
    const head = this.#head as MetricHead
    const { reader, text, columns, keys } = this.#parts
    const { bytes } = reader
    if (this.#headText === '') this.#headText = this.#describeHead(head)
    const id = createHash('sha256')
      .update(`${this.#headText}\n[${this.#describe(attributes).join(',')}]`)
      .digest()
    this.ids.set(id.subarray(0, ID_BYTES), number * ID_BYTES)
    columns.tenant.push(this.#tenantId)
    columns.metric.push(text.intern(bytes, head.name.start, head.name.end))
    columns.id.pushFrom(id, 0)
    columns.day.pushUint16(this.#day)
    columns.type.pushUint8(head.type)
    columns.temporality.pushUint8(head.temporality)
    columns.is_monotonic.pushUint8(head.isMonotonic ? 1 : 0)
    columns.unit.push(text.intern(bytes, head.unit.start, head.unit.end))
    columns.description.pushUtf8(bytes, head.description.start, head.description.end)
    head.metadata.writeTo(reader, columns.metadata, columns.metadata_kinds, null)
    columns.origin.push(head.origin.originId)
    columns.service.push(head.origin.serviceId)
    attributes.writeTo(reader, columns.attrs, columns.attr_kinds, keys.observer('metric'))
  }

  /** A text that is equal for equal content, whatever bytes it came in. */
  #describeHead(head: MetricHead): string {
    const { binary, reader } = this.#parts
    const start = binary.starts[head.origin.originId] as number
    const { buffer, byteOffset } = binary.arena.bytes
    const origin = Buffer.from(buffer, byteOffset + start, ID_BYTES).toString('hex')
    const texts = [head.name, head.unit, head.description].map((range) =>
      jsonString(reader, range.start, range.end),
    )
    const numbers = [head.type, head.temporality, head.isMonotonic ? 1 : 0]
    const metadata = this.#describe(head.metadata)
    return `[${[JSON.stringify(this.#tenant), `"${origin}"`, ...texts, ...numbers, ...metadata].join(',')}]`
  }

  #describe(attributes: AttributeReader): string[] {
    const { text, reader } = this.#parts
    const pairs: string[] = []
    for (let index = 0; index < attributes.count; index++) {
      const key = JSON.stringify(text.text(attributes.keyIds[index] as number))
      const start = attributes.valueStarts[index] as number
      pairs.push(`[${key},${anyValueJson(reader, start, attributes.valueEnds[index] as number)}]`)
    }
    return pairs.sort()
  }

  #grow(number: number): void {
    let size = this.#days.length * 2
    while (size <= number) size *= 2
    const days = new Int32Array(size).fill(-1)
    days.set(this.#days)
    this.#days = days
    const ids = new Uint8Array(size * ID_BYTES)
    ids.set(this.ids)
    this.ids = ids
  }
}
