import { z } from 'zod'
import type { AnyValue } from '../../../model/any-value.ts'
import { count } from '../../../runtime/answer-schemas.ts'

/** OTLP `AnyValue` in JSON form: exactly one member, or none for the empty value. */
export const anyValue: z.ZodType<AnyValue> = z
  .union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ doubleValue: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]) }),
    z.strictObject({ bytesValue: z.string() }),
    z.strictObject({
      get arrayValue() {
        return z.strictObject({ values: z.array(anyValue) })
      },
    }),
    z.strictObject({
      get kvlistValue() {
        return z.strictObject({ values: z.array(keyValue) })
      },
    }),
    z.strictObject({}) as unknown as z.ZodType<Record<string, never>>,
  ])
  .meta({ id: 'AnyValue', description: 'OTLP AnyValue; int64 as decimal text, bytes as base64.' })

/** OTLP `KeyValue`. */
export const keyValue = z.strictObject({ key: z.string(), value: anyValue }).meta({ id: 'KeyValue' })

/** What emitted the telemetry. */
export const resource = z
  .strictObject({ attributes: z.array(keyValue), droppedAttributesCount: count, schemaUrl: z.string() })
  .meta({ id: 'Resource' })

/** The instrumentation library that recorded the telemetry. */
export const scope = z
  .strictObject({
    name: z.string(),
    version: z.string(),
    attributes: z.array(keyValue),
    droppedAttributesCount: count,
    schemaUrl: z.string(),
  })
  .meta({ id: 'Scope' })
