import { AppError } from '../../runtime/errors.ts'
import { type MessageName, OTLP_MESSAGES, type ScalarType } from './otlp-schema.ts'

/** A field of the schema, ready to be written. */
export interface CompiledField {
  readonly type: ScalarType | 'message'
  readonly tag: number
  readonly isRepeated: boolean
  /** Repeated numbers stand in one length-delimited run, without tags of their own. */
  readonly isPacked: boolean
  readonly message: CompiledMessage
  readonly values: ReadonlyMap<string, number>
}

/** A message's fields by JSON name. A map: a key such as `__proto__` finds nothing. */
export type CompiledMessage = Map<string, CompiledField>

const NO_MESSAGE: CompiledMessage = new Map()
const WIRE_TYPES: Readonly<Record<ScalarType, number>> = {
  string: 2,
  bytes: 2,
  id: 2,
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  fixed32: 5,
  bool: 0,
  int64: 0,
  uint64: 0,
  uint32: 0,
  sint32: 0,
  enum: 0,
}

const MESSAGES = compileMessages()

/** The compiled form of a message. */
export function compiledMessage(name: MessageName): CompiledMessage {
  const message = MESSAGES.get(name)
  if (message === undefined)
    throw new AppError('INTERNAL', `Cannot read the OTLP message: no schema of ${name}`)
  return message
}

/** The schema with its references resolved: messages may hold themselves. */
function compileMessages(): ReadonlyMap<string, CompiledMessage> {
  const names = Object.keys(OTLP_MESSAGES) as MessageName[]
  const compiled = new Map<string, CompiledMessage>(names.map((name) => [name, new Map()]))
  for (const name of names) {
    for (const [key, schema] of Object.entries(OTLP_MESSAGES[name])) {
      const message = compiled.get(schema.type)
      const wireType = message === undefined ? WIRE_TYPES[schema.type as ScalarType] : 2
      const isRepeated = schema.isRepeated === true
      const isPacked = isRepeated && wireType !== 2
      compiled.get(name)?.set(key, {
        type: message === undefined ? (schema.type as ScalarType) : 'message',
        tag: (schema.number << 3) | (isPacked ? 2 : wireType),
        isRepeated,
        isPacked,
        message: message ?? NO_MESSAGE,
        values: new Map(Object.entries(schema.values ?? {})),
      })
    }
  }
  return compiled
}
