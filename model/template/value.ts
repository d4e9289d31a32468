/**
 * What a template can see. Maps are Go's maps (a missing key reads as ''), structs have a fixed set of fields (a missing
 * one is an error), functions are methods and closures. Names chosen by a template are only ever looked up in Maps, never
 * as JavaScript properties.
 */
export type Value =
  | null
  | string
  | number
  | bigint
  | boolean
  | SafeHtml
  | TemplateTime
  | TemplateStruct
  | TemplateFunction
  | readonly Value[]
  | ReadonlyMap<string, Value>

/** A function or method a template may call. */
export type TemplateFunction = (...args: readonly Value[]) => Value

/** A value with named fields and methods; as Go's named types, it may be a list or a map besides. */
export interface TemplateStruct {
  readonly kind: 'struct'
  /** Go's name of the type, for error messages. */
  readonly typeName: string
  readonly fields: ReadonlyMap<string, Value>
  /** What it holds as a list or map; absent: it is a plain struct. */
  readonly content?: readonly Value[] | ReadonlyMap<string, Value>
}

/** The list or map that a value is, behind its methods; any other value is itself. */
export function contentOf(value: Value): Value {
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'struct')
    return value
  return value.content ?? value
}

/** An instant, as Go's time.Time in UTC. */
export interface TemplateTime {
  readonly kind: 'time'
  /** Epoch milliseconds. */
  readonly ms: number
}

/** Text that is HTML already and is not escaped again. */
export interface SafeHtml {
  readonly kind: 'safe-html'
  readonly html: string
}

/** Whether a value is Go's empty value: false, 0, nil, and empty strings, maps and lists. */
export function isEmpty(outer: Value): boolean {
  const value = contentOf(outer)
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true
  if (Array.isArray(value)) return value.length === 0
  return value instanceof Map && value.size === 0
}

/** Go's word for the type of a value, for error messages. */
export function typeName(value: Value): string {
  if (value === null) return 'nil'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'function') return 'func'
  if (Array.isArray(value)) return 'slice'
  if (value instanceof Map) return 'map'
  const other = value as SafeHtml | TemplateTime | TemplateStruct
  if (other.kind === 'struct') return other.typeName
  return other.kind === 'time' ? 'time.Time' : 'template.HTML'
}
