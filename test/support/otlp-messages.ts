import fc from 'fast-check'
import protobuf from 'protobufjs'
import type { Signal } from '../../ingest/export-sink.ts'
import {
  type FieldSchema,
  type MessageName,
  OTLP_MESSAGES,
  REQUEST_MESSAGES,
} from '../../ingest/json/otlp-schema.ts'

/** A message in OTLP's JSON form: 64-bit integers as decimal strings, ids in hex, bytes in base64. */
export type OtlpJson = { [name: string]: unknown }

/** What generated requests may hold. */
export interface RequestShape {
  /** Times lie within the hour after this moment, nanoseconds since the epoch. Default: 2026-01-02T03:00Z. */
  readonly baseNanos?: bigint
  /** Also ids of a wrong length. Default: false. */
  readonly hasBadIds?: boolean
}

const DEFAULT_BASE_NANOS = 1_767_322_800_000_000_000n
const HOUR_NANOS = 3_600_000_000_000n

/** How deep attribute values stand in each other, at most. */
const VALUE_DEPTH = 3

/** Whole export requests of a signal, every field of the schema among them; data points are consistent in themselves. */
export function exportRequests(signal: Signal, shape: RequestShape = {}): fc.Arbitrary<OtlpJson> {
  return message(REQUEST_MESSAGES[signal], {
    base: shape.baseNanos ?? DEFAULT_BASE_NANOS,
    hasBadIds: shape.hasBadIds ?? false,
    depth: VALUE_DEPTH,
  })
}

/** The protobuf bytes of a message in JSON form, by an encoder that shares nothing with ours but the schema table. */
export function encodeRequest(signal: Signal, request: OtlpJson): Uint8Array {
  return encodeMessage(REQUEST_MESSAGES[signal], request)
}

/** Like {@link encodeRequest}, for any message of the schema. */
export function encodeMessage(name: MessageName, value: OtlpJson): Uint8Array {
  return protobufRoot().lookupType(name).encode(toProtobufObject(name, value)).finish()
}

/** Reads protobuf bytes back into the JSON form; fields that hold their default are there when they were sent, empty lists are not. */
export function decodeMessage(name: MessageName, bytes: Uint8Array): OtlpJson {
  return fromProtobufObject(name, protobufRoot().lookupType(name).decode(bytes) as unknown as OtlpJson)
}

interface Context {
  readonly base: bigint
  readonly hasBadIds: boolean
  readonly depth: number
}

function message(name: MessageName, context: Context): fc.Arbitrary<OtlpJson> {
  if (name === 'AnyValue') return anyValue(context)
  const schema = OTLP_MESSAGES[name]
  const always: Record<string, fc.Arbitrary<unknown>> = {}
  const choices: fc.Arbitrary<OtlpJson>[] = []
  for (const [key, field] of Object.entries(schema)) {
    if (field.oneof === undefined) always[key] = repeated(name, key, field, context)
    else choices.push(repeated(name, key, field, context).map((value) => ({ [key]: value })))
  }
  const plain = fc.record(always, { requiredKeys: requiredKeys(name) }) as fc.Arbitrary<OtlpJson>
  const chosen = choices.length === 0 ? fc.constant({}) : fc.oneof(...choices)
  return fc.tuple(plain, chosen).map(([fields, choice]) => consistent(name, { ...fields, ...choice }))
}

function requiredKeys(name: MessageName): string[] {
  if (name.startsWith('Export')) return Object.keys(OTLP_MESSAGES[name])
  if (name === 'Span') return ['traceId', 'spanId', 'name', 'startTimeUnixNano', 'endTimeUnixNano']
  if (name === 'Metric') return ['name']
  if (name.startsWith('Resource') || name.startsWith('Scope')) {
    return Object.keys(OTLP_MESSAGES[name]).filter((key) => /spans|metrics|log/i.test(key))
  }
  return Object.keys(OTLP_MESSAGES[name]).filter((key) => /^(key|timeUnixNano|dataPoints)$/.test(key))
}

function repeated(
  name: MessageName,
  key: string,
  field: FieldSchema,
  context: Context,
): fc.Arbitrary<unknown> {
  const element = fieldValue(name, key, field, context)
  if (field.isRepeated !== true) return element
  return fc.array(element, { maxLength: name.startsWith('Export') || name.startsWith('Resource') ? 2 : 4 })
}

function fieldValue(
  name: MessageName,
  key: string,
  field: FieldSchema,
  context: Context,
): fc.Arbitrary<unknown> {
  switch (field.type) {
    case 'string':
      return text(key)
    case 'bool':
      return fc.boolean()
    case 'double':
      return double()
    case 'fixed64':
      return key.endsWith('UnixNano')
        ? fc.bigInt(context.base, context.base + HOUR_NANOS).map(String)
        : fc.bigInt(0n, 2n ** 40n).map(String)
    case 'uint64':
      return fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 40n)).map(String)
    case 'int64':
    case 'sfixed64':
      return fc.oneof(fc.bigInt(-200n, 200n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)).map(String)
    case 'fixed32':
    case 'uint32':
      return fc.oneof(
        fc.nat(300),
        fc.nat(0x7fff_ffff).map((value) => value * 2),
      )
    case 'sint32':
      return key === 'scale' ? fc.integer({ min: -10, max: 20 }) : fc.integer({ min: -5000, max: 5000 })
    case 'enum':
      return fc.constantFrom(...Object.values(field.values ?? {}))
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'))
    case 'id':
      return id(name, key, context)
    default:
      return message(field.type, context)
  }
}

function id(name: MessageName, key: string, context: Context): fc.Arbitrary<string> {
  const length = key === 'traceId' ? 16 : 8
  const valid = fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes.map((byte, index) => (index === 0 ? byte | 1 : byte))).toString('hex'))
  const isRequired = name === 'Span' && key !== 'parentSpanId'
  const usual = isRequired ? valid : fc.oneof({ weight: 3, arbitrary: valid }, fc.constant(''))
  if (!context.hasBadIds) return usual
  const bad = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => Buffer.from(bytes).toString('hex'))
  return fc.oneof({ weight: 8, arbitrary: usual }, bad)
}

function text(key: string): fc.Arbitrary<string> {
  const words =
    key === 'key'
      ? ['service.name', 'http.response.status_code', 'http.method', 'peer.service', 'a', 'b', 'rpc.system']
      : ['GET', 'checkout', 'GET /cart/{id}', '503', '', 'UO', 'über', '日本語', '👩‍🚀']
  return fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'grapheme', maxLength: 12 }))
}

function double(): fc.Arbitrary<number | string> {
  return fc.double().map((value) => {
    if (!Number.isFinite(value)) return String(value)
    // JSON text has no negative zero that survives JSON.stringify.
    return value === 0 ? 0 : value
  })
}

function anyValue(context: Context): fc.Arbitrary<OtlpJson> {
  const kinds: fc.Arbitrary<OtlpJson>[] = []
  for (const [key, field] of Object.entries(OTLP_MESSAGES.AnyValue)) {
    const isNested = key === 'arrayValue' || key === 'kvlistValue'
    if (isNested && context.depth === 0) continue
    const inner = { ...context, depth: context.depth - 1 }
    kinds.push(fieldValue('AnyValue', key, field, inner).map((value) => ({ [key]: value })))
  }
  return fc.oneof(...kinds, fc.constant({}))
}

/** Makes counts and bounds of a histogram point agree, as every real sender's do. */
function consistent(name: MessageName, value: OtlpJson): OtlpJson {
  if (name !== 'HistogramDataPoint') return value
  const raw = Array.isArray(value['explicitBounds']) ? (value['explicitBounds'] as (number | string)[]) : []
  const bounds = [...new Set(raw.filter((bound) => typeof bound === 'number'))].sort((a, b) => a - b)
  const counts = Array.isArray(value['bucketCounts']) ? (value['bucketCounts'] as string[]) : []
  if (counts.length === 0) return { ...value, explicitBounds: [], bucketCounts: [] }
  const filled = Array.from({ length: bounds.length + 1 }, (_, index) => counts[index] ?? '0')
  const count = filled.reduce((sum, next) => sum + BigInt(next), 0n)
  return { ...value, explicitBounds: bounds, bucketCounts: filled, count: String(count) }
}

let cachedRoot: protobuf.Root | undefined

function protobufRoot(): protobuf.Root {
  if (cachedRoot !== undefined) return cachedRoot
  const root = new protobuf.Root()
  for (const [name, schema] of Object.entries(OTLP_MESSAGES)) {
    const type = new protobuf.Type(name)
    for (const [key, field] of Object.entries(schema)) {
      const rule = field.isRepeated === true ? 'repeated' : undefined
      type.add(new protobuf.Field(key, field.number, wireName(field), rule, undefined, { packed: true }))
    }
    root.add(type)
  }
  root.resolveAll()
  cachedRoot = root
  return root
}

function wireName(field: FieldSchema): string {
  if (field.type === 'id') return 'bytes'
  return field.type === 'enum' ? 'int32' : field.type
}

function toProtobufObject(name: MessageName, value: OtlpJson): OtlpJson {
  return mapFields(name, value, toProtobuf)
}

function fromProtobufObject(name: MessageName, value: OtlpJson): OtlpJson {
  return mapFields(name, value, fromProtobuf)
}

function mapFields(
  name: MessageName,
  value: OtlpJson,
  map: (field: FieldSchema, value: unknown) => unknown,
): OtlpJson {
  const out: OtlpJson = {}
  for (const [key, field] of Object.entries(OTLP_MESSAGES[name])) {
    if (!Object.hasOwn(value, key)) continue
    const member = value[key]
    if (Array.isArray(member) && member.length === 0) continue
    out[key] = Array.isArray(member) ? member.map((element) => map(field, element)) : map(field, member)
  }
  return out
}

function toProtobuf(field: FieldSchema, value: unknown): unknown {
  switch (field.type) {
    case 'fixed64':
    case 'sfixed64':
    case 'int64':
    case 'uint64':
      return toLong(BigInt.asUintN(64, BigInt(String(value))))
    case 'id':
      return Buffer.from(String(value), 'hex')
    case 'bytes':
      return Buffer.from(String(value), 'base64')
    case 'double':
      return Number(value)
    case 'string':
    case 'bool':
    case 'fixed32':
    case 'uint32':
    case 'sint32':
    case 'enum':
      return value
    default:
      return toProtobufObject(field.type, value as OtlpJson)
  }
}

/** What protobufjs takes for 64 bits: two halves. */
function toLong(bits: bigint): { low: number; high: number; unsigned: boolean } {
  const low = Number(bits & 0xffff_ffffn) | 0
  return { low, high: Number(bits >> 32n) | 0, unsigned: true }
}

function fromProtobuf(field: FieldSchema, value: unknown): unknown {
  switch (field.type) {
    case 'fixed64':
    case 'uint64':
      return BigInt.asUintN(64, BigInt(String(value))).toString()
    case 'sfixed64':
    case 'int64':
      return String(value)
    case 'id':
      return Buffer.from(value as Uint8Array).toString('hex')
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'double':
      return Number.isFinite(value) ? value : String(value)
    case 'string':
    case 'bool':
    case 'fixed32':
    case 'uint32':
    case 'sint32':
    case 'enum':
      return value
    default:
      return fromProtobufObject(field.type, value as OtlpJson)
  }
}
