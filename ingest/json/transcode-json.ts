import { AppError } from '../../runtime/errors.ts'
import type { Signal } from '../export-sink.ts'
import {
  type BackwardWriter,
  createBackwardWriter,
  reserve,
  writeBytes,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeUtf8,
  writeVarint,
  writeVarint64,
  writtenBytes,
  writtenLength,
} from './backward-writer.ts'
import {
  compiledMessage,
  type CompiledField as Field,
  type CompiledMessage as Message,
} from './compiled-schema.ts'
import { parseJsonInteger } from './json-integer.ts'
import { REQUEST_MESSAGES } from './otlp-schema.ts'
import { parseJson } from './parse-json.ts'

/** Where in the JSON the writer stands, for messages to people. */
type Path = (string | number)[]

interface Transcoding {
  readonly writer: BackwardWriter
  readonly path: Path
}

/** Stands for an id that is not hexadecimal: a length no id has, so the decoder rejects that span and keeps its neighbours. */
const UNREADABLE_ID = Uint8Array.of(0xff)

const MAX_UINT64 = 2n ** 64n - 1n
const MAX_INT64 = 2n ** 63n - 1n

/**
 * Turns an OTLP/JSON export request into the protobuf bytes of the same message, so that both take the same decoder.
 *
 * As the OTLP specification and the protobuf JSON mapping say: names in lowerCamelCase, unknown names ignored, `null` is
 * absent, ids in hex of either case, bytes in base64 (standard or URL-safe, padded or not), 64-bit integers as strings or
 * numbers and exact, enums as integers (their names are accepted too), `NaN` and `±Infinity` as strings.
 * An id that is not hexadecimal is passed on with a length no id has: one bad span does not spoil the message.
 * Fields that are present are written even when they hold their default value.
 *
 * Throws AppError MALFORMED_MESSAGE naming the path: `resourceSpans[0].scopeSpans[0].spans[3].kind: expected …`.
 */
export function transcodeJson(signal: Signal, utf8: Uint8Array): Uint8Array {
  const request = parseJson(utf8)
  const writer = createBackwardWriter(utf8.length)
  writeFields({ writer, path: [] }, compiledMessage(REQUEST_MESSAGES[signal]), request)
  return writtenBytes(writer)
}

function writeFields(to: Transcoding, message: Message, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(to.path, 'an object', value)
  const members = value as Record<string, unknown>
  const names = Object.keys(members)
  for (let index = names.length - 1; index >= 0; index--) {
    const name = names[index] as string
    const member = members[name]
    const field = message.get(name === 'intValue' && isBeyondInt64(member) ? 'doubleValue' : name)
    if (field === undefined || member === null) continue
    to.path.push(name)
    if (field.isRepeated) writeRepeated(to, field, member)
    else writeField(to, field, member)
    to.path.pop()
  }
}

function writeRepeated(to: Transcoding, field: Field, value: unknown): void {
  if (!Array.isArray(value)) fail(to.path, 'an array', value)
  const elements = value as unknown[]
  const end = writtenLength(to.writer)
  for (let index = elements.length - 1; index >= 0; index--) {
    const element = elements[index]
    to.path.push(index)
    if (field.isPacked) writeNumber(to, field, element)
    else writeField(to, field, element === null && field.type === 'message' ? {} : element)
    to.path.pop()
  }
  if (field.isPacked && elements.length > 0) {
    writeVarint(to.writer, writtenLength(to.writer) - end)
    writeVarint(to.writer, field.tag)
  }
}

function writeField(to: Transcoding, field: Field, value: unknown): void {
  const { writer } = to
  const end = writtenLength(writer)
  switch (field.type) {
    case 'message':
      writeFields(to, field.message, value)
      break
    case 'string':
      if (typeof value !== 'string') fail(to.path, 'a string', value)
      writeUtf8(writer, value as string)
      break
    case 'id':
      if (typeof value !== 'string') fail(to.path, 'an id in hexadecimal', value)
      writeId(writer, value as string)
      break
    case 'bytes':
      writeBytes(writer, readBase64(to.path, value))
      break
    default:
      writeNumber(to, field, value)
      writeVarint(writer, field.tag)
      return
  }
  writeVarint(writer, writtenLength(writer) - end)
  writeVarint(writer, field.tag)
}

function writeNumber(to: Transcoding, field: Field, value: unknown): void {
  const { writer, path } = to
  switch (field.type) {
    case 'bool':
      if (typeof value !== 'boolean') fail(path, 'true or false', value)
      writeVarint(writer, value === true ? 1 : 0)
      break
    case 'double':
      writeDouble(writer, readDouble(path, value))
      break
    case 'fixed64':
      writeFixed64(writer, readUint64(path, value))
      break
    case 'sfixed64':
      writeFixed64(writer, readInt64(path, value))
      break
    case 'uint64':
      writeVarint64(writer, readUint64(path, value))
      break
    case 'int64':
      writeVarint64(writer, readInt64(path, value))
      break
    case 'fixed32':
      writeFixed32(writer, readUint32(path, value))
      break
    case 'uint32':
      writeVarint(writer, readUint32(path, value))
      break
    case 'sint32':
      writeZigZag(writer, readInt32(path, value, 'a 32-bit integer'))
      break
    default:
      writeVarint64(writer, BigInt(readEnum(path, field, value)))
  }
}

function writeZigZag(writer: BackwardWriter, value: number): void {
  writeVarint(writer, value >= 0 ? value * 2 : -value * 2 - 1)
}

function readEnum(path: Path, field: Field, value: unknown): number {
  const named = typeof value === 'string' ? field.values.get(value) : undefined
  return named ?? readInt32(path, value, 'an integer or the name of a value')
}

/**
 * The JavaScript SDK writes every integral number as `intValue`, 1.5e300 too: it is a double, and refusing it would cost
 * the sender the whole batch.
 */
function isBeyondInt64(value: unknown): boolean {
  if (typeof value === 'bigint') return value < -MAX_INT64 - 1n || value > MAX_INT64
  return typeof value === 'number' && Math.abs(value) >= 2 ** 63 && value !== -(2 ** 63)
}

function readUint64(path: Path, value: unknown): bigint {
  return readInteger(path, value, 0n, MAX_UINT64, 'an unsigned 64-bit integer')
}

function readInt64(path: Path, value: unknown): bigint {
  return readInteger(path, value, -MAX_INT64 - 1n, MAX_INT64, 'a 64-bit integer')
}

function readUint32(path: Path, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value
  return Number(readInteger(path, value, 0n, 0xffff_ffffn, 'an unsigned 32-bit integer'))
}

function readInt32(path: Path, value: unknown, expected: string): number {
  return Number(readInteger(path, value, -0x8000_0000n, 0x7fff_ffffn, expected))
}

function readInteger(path: Path, value: unknown, least: bigint, most: bigint, expected: string): bigint {
  let integer: bigint | undefined
  if (typeof value === 'string')
    integer = /^-?\d{1,20}$/.test(value) ? BigInt(value) : parseJsonInteger(value)
  else if (typeof value === 'bigint') integer = value
  else if (typeof value === 'number' && Number.isInteger(value)) integer = BigInt(value)
  if (integer === undefined || integer < least || integer > most) fail(path, expected, value)
  return integer as bigint
}

function readDouble(path: Path, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'bigint') return Number(value)
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  if (typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) {
    const number = Number(value)
    if (Number.isFinite(number)) return number
  }
  return fail(path, 'a number, "NaN", "Infinity" or "-Infinity"', value)
}

function readBase64(path: Path, value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
    fail(path, 'bytes in base64', value)
  const text = (value as string).replace(/=+$/, '')
  if (text.length % 4 === 1) fail(path, 'bytes in base64', value)
  return Buffer.from(text, 'base64')
}

function writeId(writer: BackwardWriter, text: string): void {
  const size = text.length >>> 1
  const at = reserve(writer, size)
  // The engine stops at the first pair that is not hexadecimal.
  if (text.length % 2 === 0 && writer.bytes.write(text, at, size, 'hex') === size) return
  writer.at += size
  writeBytes(writer, UNREADABLE_ID)
}

function fail(path: Path, expected: string, value: unknown): never {
  const place = path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : `${text}${text === '' ? '' : '.'}${step}`,
    '',
  )
  throw new AppError(
    'MALFORMED_MESSAGE',
    `Cannot read the OTLP/JSON message: ${place === '' ? 'the message' : place}: expected ${expected}, got ${describe(value)}`,
    { details: { path: place } },
  )
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return value.length <= 40 ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, 40))}…`
}
