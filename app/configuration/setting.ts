import { z } from 'zod'

/** One key of the configuration that holds a value. */
export interface Setting {
  /** `['ingest', 'otlpHttp', 'port']`. */
  readonly path: readonly string[]
  readonly schema: z.ZodType
  /** In the form the user writes: `7d`, not milliseconds. */
  readonly defaultValue: unknown
  /** Whether the value must not be shown. True where a twin `…File` stands beside the key. */
  readonly isSecret: boolean
  /** The path of the twin that names a file with the value. */
  readonly fileTwin: readonly string[] | null
  /** Whether the value names files or folders: relative ones in a configuration file are relative to that file. */
  readonly isPath: boolean
}

/** All keys of a schema that hold a value, in the order of the schema. */
export function listSettings(schema: z.ZodType, path: readonly string[] = []): readonly Setting[] {
  const shape = objectShape(schema)
  if (shape === null) return []
  return Object.entries(shape).flatMap(([key, inner]) => {
    const at = [...path, key]
    if (objectShape(inner) !== null) return listSettings(inner, at)
    const twin = `${key}File`
    const isSecret = Object.hasOwn(shape, twin)
    return [
      {
        path: at,
        schema: inner,
        defaultValue: defaultOf(inner),
        isSecret,
        fileTwin: isSecret ? [...path, twin] : null,
        isPath: /^dir$|Dir$|Files?$|^files$/.test(key),
      },
    ]
  })
}

/** The keys of an object schema, defaults and wrappers looked through; null for every other schema. */
export function objectShape(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | null {
  const inner = unwrap(schema)
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : null
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  return schema
}

function defaultOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return schema.def.defaultValue
  if (schema instanceof z.ZodReadonly) return defaultOf(schema.unwrap() as z.ZodType)
  return undefined
}
