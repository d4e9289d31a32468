import type { AnyValue, KeyValue } from '../../../model/any-value.ts'
import type { JaegerTag } from './jaeger-model.ts'

/**
 * Turns an attribute into a tag as the OpenTelemetry-to-Jaeger translation does: bytes are `binary` (base64), arrays and
 * maps are `string`s that hold JSON, the empty value is an empty string.
 */
export function toJaegerTag({ key, value }: KeyValue): JaegerTag {
  if ('boolValue' in value) return { key, type: 'bool', value: value.boolValue }
  if ('intValue' in value) return { key, type: 'int64', value: exactNumber(value.intValue) }
  if ('doubleValue' in value) return { key, type: 'float64', value: value.doubleValue }
  if ('bytesValue' in value) return { key, type: 'binary', value: value.bytesValue }
  if ('stringValue' in value) return { key, type: 'string', value: value.stringValue }
  return { key, type: 'string', value: Object.keys(value).length === 0 ? '' : plainJson(value) }
}

function exactNumber(decimal: string): number | string {
  const number = Number(decimal)
  return Number.isSafeInteger(number) ? number : decimal
}

/** The value as a person would write it in JSON. Integers keep all their digits. */
function plainJson(value: AnyValue): string {
  if ('boolValue' in value) return String(value.boolValue)
  if ('intValue' in value) return value.intValue
  if ('doubleValue' in value) return JSON.stringify(value.doubleValue)
  if ('bytesValue' in value) return JSON.stringify(value.bytesValue)
  if ('stringValue' in value) return JSON.stringify(value.stringValue)
  if ('arrayValue' in value) return `[${value.arrayValue.values.map(plainJson).join(',')}]`
  if ('kvlistValue' in value) {
    const members = value.kvlistValue.values.map(
      (item) => `${JSON.stringify(item.key)}:${plainJson(item.value)}`,
    )
    return `{${members.join(',')}}`
  }
  return 'null'
}
