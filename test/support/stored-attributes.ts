import type { AnyValue, KeyValue } from '../../model/any-value.ts'

/** Attributes as the tables hold them: pairs in order and one letter per pair, no letters when all are strings. */
export function storedAttributes(attributes: readonly KeyValue[]): {
  readonly pairs: readonly (readonly [string, string])[]
  readonly kinds: string
} {
  const stored = attributes.map(({ key, value }) => ({ key, ...storedValue(value) }))
  return {
    pairs: stored.map(({ key, text }) => [key, text] as const),
    kinds: stored.every(({ kind }) => kind === 's') ? '' : stored.map(({ kind }) => kind).join(''),
  }
}

/** One value as the tables hold it: its text and the letter of its kind. */
export function storedValue(value: AnyValue): { readonly text: string; readonly kind: string } {
  if ('stringValue' in value) return { text: value.stringValue, kind: 's' }
  if ('boolValue' in value) return { text: String(value.boolValue), kind: 'b' }
  if ('intValue' in value) return { text: value.intValue, kind: 'i' }
  if ('doubleValue' in value) return { text: String(value.doubleValue), kind: 'd' }
  if ('bytesValue' in value) return { text: value.bytesValue, kind: 'y' }
  if ('arrayValue' in value) return { text: JSON.stringify(value), kind: 'a' }
  if ('kvlistValue' in value) return { text: JSON.stringify(value), kind: 'm' }
  return { text: '', kind: 'e' }
}

/** A string attribute. */
export function text(key: string, value: string): KeyValue {
  return { key, value: { stringValue: value } }
}
