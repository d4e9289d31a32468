/**
 * OTLP `AnyValue` in the JSON form of the OTLP specification: int64 as a decimal string, bytes as base64.
 * `{}` is the value that is present but empty. Non-finite doubles are the strings `NaN`, `Infinity`, `-Infinity`.
 */
export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { readonly bytesValue: string }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } }
  | Record<string, never>

/** One attribute: OTLP `KeyValue`. */
export interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

/**
 * How a stored attribute value is to be read, one letter per attribute (see {@link decodeAttribute}).
 * `s` string · `i` int64, decimal · `d` double, shortest decimal · `b` `true`/`false` · `y` bytes, base64 ·
 * `a` array and `m` key-value list, as OTLP JSON text of the AnyValue · `e` empty value.
 */
export type AttributeKind = 's' | 'i' | 'd' | 'b' | 'y' | 'a' | 'm' | 'e'

/** Turns a stored value back into the AnyValue that was received. An unknown kind reads as a string. */
export function decodeAttribute(kind: string, text: string): AnyValue {
  switch (kind) {
    case 'i':
      return { intValue: text }
    case 'd':
      return { doubleValue: decodeDouble(text) }
    case 'b':
      return { boolValue: text === 'true' }
    case 'y':
      return { bytesValue: text }
    case 'a':
    case 'm':
      return JSON.parse(text) as AnyValue
    case 'e':
      return {}
    default:
      return { stringValue: text }
  }
}

/**
 * Turns stored columns back into attributes, in the order received.
 * `entries` are the map's pairs; `kinds` has one letter per pair, or is empty when all are strings.
 */
export function decodeAttributes(entries: readonly (readonly [string, string])[], kinds: string): KeyValue[] {
  return entries.map(([key, text], index) => ({ key, value: decodeAttribute(kinds.charAt(index), text) }))
}

function decodeDouble(text: string): number | 'NaN' | 'Infinity' | '-Infinity' {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return text
  return Number(text)
}
