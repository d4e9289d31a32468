import { createHash } from 'node:crypto'
import type { Interner } from '../native/interner.ts'
import { anyValueJson, jsonString } from './any-value-text.ts'
import type { AttributeKeyRegistry } from './attribute-key-registry.ts'
import { AttributeReader } from './attribute-reader.ts'
import { type ByteRange, EMPTY_RANGE } from './byte-range.ts'
import type { OriginColumns } from './origin-block.ts'
import { anyValueText } from './prometheus-labels.ts'
import { type Target, targetOf } from './target-info.ts'
import { LENGTH_DELIMITED, VARINT, type WireReader } from './wire-reader.ts'

/** What telemetry without a (non-empty, string) `service.name` is filed under, as OpenTelemetry SDKs name it. */
export const UNKNOWN_SERVICE = 'unknown_service'

const MAX_CACHED = 20_000
/** Senders choose how long a resource is. */
const MAX_CACHED_BYTES = 32 << 20

/** A resource and scope as spans refer to them. Numbers hold for one generation of the interners. */
export interface Origin {
  /** Number of the 16-byte id in the binary interner. */
  originId: number
  /** Number of the service's name in the text interner. */
  serviceId: number
  /** Prometheus' label `job`: the service, with its namespace before it if it has one. */
  readonly job: string
  /** Prometheus' label `instance`: `service.instance.id`, or ''. */
  readonly instance: string
  /** The series of `target_info` that says what the resource is; null: there is none. */
  readonly target: Target | null
}

interface Cached extends Origin {
  readonly id: Uint8Array
  readonly service: string
  day: number
  generation: number
  /** False when resource or scope holds values nested too deeply. */
  readonly isGood: boolean
}

interface MessageFields {
  readonly attributes: number
  readonly dropped: number
  readonly name: number
  readonly version: number
}

interface CollectedFields {
  readonly dropped: number
  readonly name: ByteRange
  readonly version: ByteRange
}

// Field numbers of opentelemetry.proto.resource.v1.Resource and common.v1.InstrumentationScope; 0: has no such field.
const RESOURCE_FIELDS: MessageFields = { attributes: 1, dropped: 2, name: 0, version: 0 }
const SCOPE_FIELDS: MessageFields = { attributes: 3, dropped: 4, name: 1, version: 2 }

/**
 * Turns the pair of a resource and a scope into a 16-byte id, and writes a row of `origins` the first time in a day that
 * a tenant sends the pair.
 */
export class OriginRegistry {
  readonly #text: Interner
  readonly #binary: Interner
  readonly #columns: OriginColumns
  readonly #keys: AttributeKeyRegistry
  readonly #reader: WireReader
  readonly #resource: AttributeReader
  readonly #scope: AttributeReader
  readonly #cache = new Map<string, Cached>()
  #cachedBytes = 0
  /** Keys of what was written since {@link begin}. */
  readonly #fresh: string[] = []
  #tenant = ''
  #tenantId = 0
  #day = 0

  constructor(options: {
    readonly text: Interner
    readonly binary: Interner
    readonly columns: OriginColumns
    readonly keys: AttributeKeyRegistry
    readonly reader: WireReader
    readonly maxAttributes: number
  }) {
    this.#text = options.text
    this.#binary = options.binary
    this.#columns = options.columns
    this.#keys = options.keys
    this.#reader = options.reader
    this.#resource = new AttributeReader(options.text, options.maxAttributes)
    this.#scope = new AttributeReader(options.text, options.maxAttributes)
  }

  /** Says whose message follows and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    this.#tenant = tenant
    this.#tenantId = tenantId
    this.#day = day
    this.#fresh.length = 0
  }

  /** What was written since {@link begin} is taken back, and will be written again. */
  rollback(): void {
    for (const key of this.#fresh) {
      if (this.#cache.delete(key)) this.#cachedBytes -= key.length
    }
    this.#fresh.length = 0
  }

  /** Writes every pair anew: what was written may not have reached the disk. */
  forget(): void {
    this.#cache.clear()
    this.#cachedBytes = 0
  }

  /**
   * The origin of the resource and scope messages in these ranges of the reader's bytes. Returns null when one of their
   * values is nested too deeply. Throws MALFORMED_MESSAGE. The reader's position is undefined afterwards.
   */
  resolve(
    resource: ByteRange,
    resourceSchema: ByteRange,
    scope: ByteRange,
    scopeSchema: ByteRange,
  ): Origin | null {
    const key = this.#cacheKey([resource, resourceSchema, scope, scopeSchema])
    let cached = this.#cache.get(key)
    if (cached === undefined || cached.day !== this.#day) {
      if (cached !== undefined) this.#cachedBytes -= key.length
      cached = this.#write(resource, resourceSchema, scope, scopeSchema)
      if (this.#cache.size >= MAX_CACHED || this.#cachedBytes > MAX_CACHED_BYTES) this.forget()
      this.#cache.set(key, cached)
      this.#cachedBytes += key.length
      this.#fresh.push(key)
    }
    if (!cached.isGood) return null
    if (cached.generation !== this.#text.generation) this.#renumber(cached)
    return cached
  }

  #cacheKey(ranges: readonly ByteRange[]): string {
    const { bytes } = this.#reader
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let key = `${this.#tenant.length} ${this.#tenant}`
    for (const { start, end } of ranges) key += `${end - start} ${buffer.toString('latin1', start, end)}`
    return key
  }

  #renumber(cached: Cached): void {
    cached.generation = this.#text.generation
    cached.originId = this.#binary.intern(cached.id, 0, 16)
    cached.serviceId = this.#text.internText(cached.service)
  }

  #write(resource: ByteRange, resourceSchema: ByteRange, scope: ByteRange, scopeSchema: ByteRange): Cached {
    const reader = this.#reader
    const ofResource = this.#resource
    const ofScope = this.#scope
    const resourceFields = this.#collect(resource, ofResource, RESOURCE_FIELDS)
    const scopeFields = this.#collect(scope, ofScope, SCOPE_FIELDS)
    const isGood = !ofResource.isTooDeep && !ofScope.isTooDeep
    const named = this.#resourceText('service.name')
    const service = named ?? UNKNOWN_SERVICE
    const namespace = this.#resourceText('service.namespace')
    const job = namespace === null ? service : `${namespace}/${service}`
    const instance = this.#resourceText('service.instance.id') ?? ''
    const cached = {
      service,
      job,
      instance,
      target: isGood ? this.#target({ job, instance, isNamed: named !== null }) : null,
      day: this.#day,
      generation: -1,
      originId: 0,
      serviceId: 0,
      isGood,
    }
    if (!isGood) return { ...cached, id: new Uint8Array(16) }

    const id = createHash('sha256')
      .update(this.#describe(ofResource, resourceFields, resourceSchema))
      .update(this.#describe(ofScope, scopeFields, scopeSchema))
      .digest()
      .subarray(0, 16)
    const columns = this.#columns
    columns.tenant.push(this.#tenantId)
    columns.id.pushFrom(id, 0)
    columns.day.pushUint16(this.#day)
    columns.service.push(this.#text.internText(service))
    const { resource_attrs, resource_attr_kinds, scope_attrs, scope_attr_kinds } = columns
    ofResource.writeTo(reader, resource_attrs, resource_attr_kinds, this.#keys.observer('resource'))
    columns.resource_dropped_attributes.pushUint32(resourceFields.dropped)
    columns.resource_schema_url.push(this.#intern(resourceSchema))
    columns.scope_name.push(this.#intern(scopeFields.name))
    columns.scope_version.push(this.#intern(scopeFields.version))
    ofScope.writeTo(reader, scope_attrs, scope_attr_kinds, this.#keys.observer('scope'))
    columns.scope_dropped_attributes.pushUint32(scopeFields.dropped)
    columns.scope_schema_url.push(this.#intern(scopeSchema))
    return { ...cached, id }
  }

  /** What `target_info` says of the resource that was just read. */
  #target(origin: Parameters<typeof targetOf>[1]): Target | null {
    const attributes = this.#resource
    const pairs: [string, string][] = []
    for (let index = 0; index < attributes.count; index++) {
      const start = attributes.valueStarts[index] as number
      const json = anyValueJson(this.#reader, start, attributes.valueEnds[index] as number)
      pairs.push([this.#text.text(attributes.keyIds[index] as number), anyValueText(json)])
    }
    return targetOf(pairs, origin)
  }

  /** Walks a Resource or InstrumentationScope message, its attributes into `attributes`. */
  #collect(message: ByteRange, attributes: AttributeReader, fields: MessageFields): CollectedFields {
    const reader = this.#reader
    const { end } = message
    let dropped = 0
    let name = EMPTY_RANGE
    let version = EMPTY_RANGE
    attributes.begin()
    reader.position = message.start
    while (reader.position < end) {
      const field = reader.tag(end)
      if (reader.wireType === LENGTH_DELIMITED && field === fields.attributes) {
        attributes.add(reader, reader.enter(end))
      } else if (
        reader.wireType === LENGTH_DELIMITED &&
        (field === fields.name || field === fields.version)
      ) {
        const to = reader.enter(end)
        const range = { start: reader.position, end: to }
        if (field === fields.name) name = range
        else version = range
        reader.position = to
      } else if (reader.wireType === VARINT && field === fields.dropped) {
        dropped = reader.varint32(end)
      } else {
        reader.skip(end, field)
      }
    }
    attributes.finish()
    return { dropped: (dropped + attributes.overflow) >>> 0, name, version }
  }

  /** A text that is equal for equal content, whatever bytes it came in. */
  #describe(attributes: AttributeReader, fields: CollectedFields, schema: ByteRange): string {
    const pairs: string[] = []
    for (let index = 0; index < attributes.count; index++) {
      const key = this.#text.text(attributes.keyIds[index] as number)
      const from = attributes.valueStarts[index] as number
      const to = attributes.valueEnds[index] as number
      pairs.push(`[${JSON.stringify(key)},${anyValueJson(this.#reader, from, to)}]`)
    }
    const texts = [fields.name, fields.version, schema].map(({ start, end }) =>
      jsonString(this.#reader, start, end),
    )
    return `[${[...texts, fields.dropped, ...pairs].join(',')}]`
  }

  /** A text attribute of the resource; null when it is absent, empty or no text. */
  #resourceText(key: string): string | null {
    const attributes = this.#resource
    for (let index = 0; index < attributes.count; index++) {
      if (this.#text.text(attributes.keyIds[index] as number) !== key) continue
      if (attributes.peek(this.#reader, index) !== 1 || attributes.start === attributes.end) return null
      return this.#text.text(this.#intern(attributes))
    }
    return null
  }

  #intern(range: ByteRange): number {
    return this.#text.intern(this.#reader.bytes, range.start, range.end)
  }
}
