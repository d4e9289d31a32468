import { type AttributePlace, anyAttribute, bindAttribute } from '../traces/attribute-conditions.ts'
import { allOf, type BoundSql } from '../traces/bound-sql.ts'
import type { AttributeEquals } from '../traces/trace-filter.ts'

/** Which log records are looked for. Everything that is given must hold (AND); what is absent does not matter. */
export interface LogFilter {
  /** 32 hex digits. */
  readonly traceId?: string | undefined
  /** 16 hex digits. */
  readonly spanId?: string | undefined
  readonly service?: string | undefined
  /** The least OTLP `SeverityNumber`. */
  readonly minSeverity?: number | undefined
  readonly eventName?: string | undefined
  /** Part of the body's text, upper and lower case alike. */
  readonly text?: string | undefined
  /** Each must equal an attribute of the record or of its resource. */
  readonly attributes?: readonly AttributeEquals[] | undefined
}

/** The conditions of a filter on a row of `logs`. `places` as for `spanConditions`. */
export function logConditions(filter: LogFilter, places: readonly AttributePlace[]): BoundSql {
  const conditions: BoundSql[] = []
  const add = (sql: string, params: BoundSql['params']) => conditions.push({ sql, params })
  const { traceId, spanId, service, minSeverity, eventName, text } = filter
  if (traceId !== undefined) add('trace_id = toFixedString(unhex({traceId:String}), 16)', { traceId })
  if (spanId !== undefined) add('span_id = toFixedString(unhex({spanId:String}), 8)', { spanId })
  if (service !== undefined) add('service = {service:String}', { service })
  if (minSeverity !== undefined) add('severity_number >= {minSeverity:UInt8}', { minSeverity })
  if (eventName !== undefined) add('event_name = {eventName:String}', { eventName })
  if (text !== undefined && text !== '') {
    add('positionCaseInsensitiveUTF8(body, {text:String}) > 0', { text })
  }
  filter.attributes?.forEach((attribute, index) => {
    const name = `a${index}`
    add(anyAttribute(name, attribute, places[index] ?? 'both'), bindAttribute(name, attribute))
  })
  return allOf(conditions)
}
