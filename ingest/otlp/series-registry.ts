import { createHash } from 'node:crypto'
import { ByteBuffer } from '../native/byte-buffer.ts'
import { Interner } from '../native/interner.ts'
import type { SeriesLimiter } from '../series-limit/series-limiter.ts'
import { anyValueJson, jsonString } from './any-value-text.ts'
import type { AttributeKeyRegistry } from './attribute-key-registry.ts'
import { AttributeReader } from './attribute-reader.ts'
import type { ByteRange } from './byte-range.ts'
import type { MetricColumns } from './metric-blocks.ts'
import type { Origin } from './origin-registry.ts'
import { anyValueText, prometheusLabels } from './prometheus-labels.ts'
import { prometheusName } from './prometheus-name.ts'
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
  /** Makes collisions unpredictable to senders. */
  readonly seed: number
  readonly columns: MetricColumns['series']
  readonly promColumns: MetricColumns['promSeries']
  readonly maxAttributes: number
  /** Says which series are taken; it is told elsewhere whose message follows. */
  readonly limiter: SeriesLimiter
}

/** What {@link SeriesRegistry.resolve} returns for attributes that make no series. */
export const SERIES_TOO_DEEP = -2
/** What {@link SeriesRegistry.resolve} returns for more attributes than the limit: without some of them, several series would be one. */
export const SERIES_TOO_WIDE = -3
/** What {@link SeriesRegistry.resolve} returns for a new series that there is no room for. */
export const SERIES_BEYOND_LIMIT = -4

const NOT_WRITTEN = -1
/** A series that was refused in the limiter's epoch `n` has this less `n` for a day. */
const REFUSED = -1000
/** Beyond these everything is learned anew: senders choose how many series there are. */
const MAX_KNOWN = 2_000_000
const MAX_BYTES = 384 << 20
const ID_BYTES = 16

/**
 * Gives a metric's name, type, temporality, unit and origin, and a set of attributes, their 16-byte series id, and writes a row of
 * `metric_series` and of `prom_series` the first time in a day that a tenant sends the series. The order of attributes makes no difference to
 * the id, nor do description and metadata; a series is written again when these change. Series are recognised by the bytes
 * they came in, so that a point of a known series is neither parsed nor hashed cryptographically.
 */
export class SeriesRegistry {
  /** Ids of the known series; that of series `n` starts at `n * 16`. */
  ids = new Uint8Array(ID_BYTES * 1024)
  readonly #parts: SeriesRegistryParts
  readonly #attributes: AttributeReader
  /** Numbers the bytes that the series of one metric share. */
  readonly #heads: Interner
  /** Numbers the bytes of a point's attributes: many metrics and resources share them. */
  readonly #sets: Interner
  /** Numbers pairs of a head's and a set's number. */
  readonly #known: Interner
  /** The day on which a known series was written; or why it is none. */
  #days = new Int32Array(1024).fill(NOT_WRITTEN)
  /** What was written since {@link begin}. */
  readonly #fresh: number[] = []
  readonly #headKey = new ByteBuffer(1024)
  readonly #key = new ByteBuffer(1024)
  /** Starts and ends of the KeyValue messages of the present point. */
  #ranges = new Int32Array(64)
  #count = 0
  #headNumber = 0
  #head: MetricHead | undefined
  #headText = ''
  #tenant = ''
  #tenantKey = Buffer.alloc(0)
  #tenantId = 0
  #day = 0

  constructor(parts: SeriesRegistryParts) {
    this.#parts = parts
    this.#heads = new Interner(parts.seed, false)
    this.#sets = new Interner(parts.seed, false)
    this.#known = new Interner(parts.seed, false)
    this.#attributes = new AttributeReader(parts.text, parts.maxAttributes)
  }

  /** Says whose message follows and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    const bytes = this.#heads.arena.length + this.#sets.arena.length
    if (this.#known.size > MAX_KNOWN || bytes > MAX_BYTES) {
      this.#heads.clear()
      this.#sets.clear()
      this.#known.clear()
      this.forget()
    }
    if (tenant !== this.#tenant) this.#tenantKey = Buffer.from(tenant, 'utf8')
    this.#tenant = tenant
    this.#tenantId = tenantId
    this.#day = day
    this.#fresh.length = 0
  }

  /** What was written since {@link begin} is taken back, and will be written again. */
  rollback(): void {
    for (const number of this.#fresh) this.#days[number] = NOT_WRITTEN
    this.#fresh.length = 0
  }

  /** Writes every series anew: what was written may not have reached the disk. */
  forget(): void {
    this.#days.fill(NOT_WRITTEN)
    this.#fresh.length = 0
  }

  /** Says which metric the following series belong to. `head` is read until the next call. */
  beginMetric(head: MetricHead): void {
    this.#head = head
    this.#headText = ''
    const key = this.#headKey
    const { reader, binary } = this.#parts
    key.length = 0
    key.pushVarint(this.#tenantKey.length)
    key.pushBytes(this.#tenantKey, 0, this.#tenantKey.length)
    const origin = binary.starts[head.origin.originId] as number
    key.pushBytes(binary.arena.bytes, origin, origin + ID_BYTES)
    key.pushVarint((head.type << 3) | (head.temporality << 1) | (head.isMonotonic ? 1 : 0))
    for (const { start, end } of [head.name, head.unit, head.description]) {
      key.pushVarint(end - start)
      key.pushBytes(reader.bytes, start, end)
    }
    const { metadata } = head
    for (let index = 0; index < metadata.count; index++) {
      const name = metadata.keyIds[index] as number
      const { starts, arena } = this.#parts.text
      const from = starts[name] as number
      const to = starts[name + 1] as number
      key.pushVarint(to - from)
      key.pushBytes(arena.bytes, from, to)
      const start = metadata.valueStarts[index] as number
      const end = metadata.valueEnds[index] as number
      key.pushVarint(end - start)
      key.pushBytes(reader.bytes, start, end)
    }
    this.#headNumber = this.#heads.intern(key.bytes, 0, key.length)
  }

  /** Starts with no attributes. */
  beginPoint(): void {
    this.#count = 0
    this.#key.length = 0
  }

  /** Adds the KeyValue message in `[start, end)` of the reader's bytes. */
  addAttribute(start: number, end: number): void {
    const at = this.#count * 2
    if (at === this.#ranges.length) {
      const grown = new Int32Array(at * 2)
      grown.set(this.#ranges)
      this.#ranges = grown
    }
    this.#ranges[at] = start
    this.#ranges[at + 1] = end
    this.#count++
    this.#key.pushVarint(end - start)
    this.#key.pushBytes(this.#parts.reader.bytes, start, end)
  }

  /**
   * The number of the series with the attributes added since {@link beginPoint} (see {@link ids}), or {@link SERIES_TOO_DEEP},
   * {@link SERIES_TOO_WIDE} or {@link SERIES_BEYOND_LIMIT}. Throws MALFORMED_MESSAGE. The reader's position is undefined afterwards.
   */
  resolve(): number {
    const key = this.#key
    const set = this.#sets.intern(key.bytes, 0, key.length)
    key.length = 0
    key.pushVarint(this.#headNumber)
    key.pushVarint(set)
    const number = this.#known.intern(key.bytes, 0, key.length)
    if (number >= this.#days.length) this.#grow(number)
    let day = this.#days[number] as number
    if (day <= REFUSED) {
      if (day === REFUSED - this.#parts.limiter.epoch()) return SERIES_BEYOND_LIMIT
      day = NOT_WRITTEN
    }
    if (day !== this.#day && day >= NOT_WRITTEN) {
      day = this.#write(number)
      this.#days[number] = day
      // What was refused stays so until the limiter says otherwise, or every message of it would be hashed anew.
      if (day > REFUSED) this.#fresh.push(number)
    }
    if (day >= 0) return number
    return day <= REFUSED ? SERIES_BEYOND_LIMIT : day
  }

  #write(number: number): number {
    const head = this.#head as MetricHead
    const { reader, text, columns, keys, limiter } = this.#parts
    const { bytes } = reader
    const attributes = this.#attributes
    attributes.begin()
    for (let index = 0; index < this.#count; index++) {
      reader.position = this.#ranges[index * 2] as number
      attributes.add(reader, this.#ranges[index * 2 + 1] as number)
    }
    if (attributes.isTooDeep) return SERIES_TOO_DEEP
    if (attributes.overflow > 0) return SERIES_TOO_WIDE
    attributes.finish()
    if (this.#headText === '') this.#headText = this.#describeHead(head)
    const id = createHash('sha256')
      .update(`${this.#headText}\n[${this.#describe(attributes).join(',')}]`)
      .digest()
    this.ids.set(id.subarray(0, ID_BYTES), number * ID_BYTES)
    const name = this.#promName(head)
    const isAdmitted = limiter.admits({
      metric: name,
      ids: this.ids,
      idStart: number * ID_BYTES,
      labels: () => this.#promLabels(head),
    })
    if (!isAdmitted) return REFUSED - limiter.epoch()
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
    this.#writeForProm(head, id, name)
    return this.#day
  }

  /** The name that PromQL knows the series by. */
  #promName(head: MetricHead): string {
    const { reader, text } = this.#parts
    return prometheusName({
      name: text.text(text.intern(reader.bytes, head.name.start, head.name.end)),
      unit: text.text(text.intern(reader.bytes, head.unit.start, head.unit.end)),
      isCounter: head.type === METRIC_TYPES.sum && head.isMonotonic,
      isGauge: head.type === METRIC_TYPES.gauge,
    })
  }

  /** The labels that PromQL knows the series by. */
  #promLabels(head: MetricHead): Iterable<readonly [string, string]> {
    const { reader, text } = this.#parts
    const attributes = this.#attributes
    const pairs: [string, string][] = []
    for (let index = 0; index < attributes.count; index++) {
      const start = attributes.valueStarts[index] as number
      const value = anyValueText(anyValueJson(reader, start, attributes.valueEnds[index] as number))
      pairs.push([text.text(attributes.keyIds[index] as number), value])
    }
    return prometheusLabels(pairs, head.origin)
  }

  /** The same series as PromQL knows it. */
  #writeForProm(head: MetricHead, id: Buffer, name: string): void {
    const { reader, text, promColumns: columns } = this.#parts
    const { bytes } = reader
    const metric = text.intern(bytes, head.name.start, head.name.end)
    const unit = text.intern(bytes, head.unit.start, head.unit.end)
    columns.tenant.push(this.#tenantId)
    columns.name.push(text.internText(name))
    columns.id.pushFrom(id, 0)
    columns.day.pushUint16(this.#day)
    columns.kind.pushUint8(head.type)
    columns.temporality.pushUint8(head.temporality)
    columns.is_monotonic.pushUint8(head.isMonotonic ? 1 : 0)
    columns.metric.push(metric)
    columns.unit.push(unit)
    columns.description.pushUtf8(bytes, head.description.start, head.description.end)
    for (const [label, value] of this.#promLabels(head)) {
      columns.labels.keys.push(text.internText(label))
      columns.labels.values.pushText(value)
    }
    columns.labels.endRow()
  }

  /** A text that is equal for equal content, whatever bytes it came in. */
  #describeHead(head: MetricHead): string {
    const { binary, reader } = this.#parts
    const start = binary.starts[head.origin.originId] as number
    const { buffer, byteOffset } = binary.arena.bytes
    const origin = Buffer.from(buffer, byteOffset + start, ID_BYTES).toString('hex')
    const texts = [head.name, head.unit].map((range) => jsonString(reader, range.start, range.end))
    const numbers = [head.type, head.temporality, head.isMonotonic ? 1 : 0]
    return `[${[`"${origin}"`, ...texts, ...numbers].join(',')}]`
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
    const days = new Int32Array(size).fill(NOT_WRITTEN)
    days.set(this.#days)
    this.#days = days
    const ids = new Uint8Array(size * ID_BYTES)
    ids.set(this.ids)
    this.ids = ids
  }
}
