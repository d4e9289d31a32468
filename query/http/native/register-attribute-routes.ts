import { z } from 'zod'
import { count, READ_ERRORS } from '../../../runtime/answer-schemas.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { listAttributeKeys } from '../../traces/list-attribute-keys.ts'
import { listAttributeValues } from '../../traces/list-attribute-values.ts'
import type { NativeApp } from './native-app.ts'
import { rangeParameters, repeatable, resolveRange, wholeNumber } from './parameters.ts'

const LEVELS = ['span', 'resource', 'scope', 'log', 'metric'] as const
const TYPES = ['string', 'int', 'double', 'bool', 'bytes', 'array', 'kvlist', 'empty'] as const

const TYPE_BY_KIND: Readonly<Record<string, (typeof TYPES)[number]>> = {
  s: 'string',
  i: 'int',
  d: 'double',
  b: 'bool',
  y: 'bytes',
  a: 'array',
  m: 'kvlist',
  e: 'empty',
}

/** The answer of `/api/attributes`. */
export const attributesResponse = z.strictObject({
  attributes: z.array(
    z.strictObject({ key: z.string(), level: z.enum(LEVELS), types: z.array(z.enum(TYPES)) }),
  ),
})

/** The answer of `/api/attributes/{key}/values`. */
export const attributeValuesResponse = z.strictObject({
  values: z.array(
    z.strictObject({
      value: z.string().meta({ description: 'As text; arrays and maps as OTLP JSON.' }),
      type: z.enum(TYPES),
      count,
    }),
  ),
})

/** Serves `/api/attributes` and the values of a key, for search forms. */
export function registerAttributeRoutes(app: NativeApp, deps: QueryDeps): void {
  app.get(
    '/attributes',
    {
      schema: {
        summary: 'Attribute keys',
        description: 'By level and key. The range is widened to whole days (UTC).',
        tags: ['attributes'],
        querystring: z.strictObject({
          level: repeatable(z.enum(LEVELS, `expected one of ${LEVELS.join(', ')}`))
            .meta({ description: 'Where the attribute stands; `span` and `resource` when absent.' })
            .optional(),
          ...rangeParameters,
        }),
        response: { 200: attributesResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const keys = await listAttributeKeys(deps, {
        tenant: request.tenant,
        levels: request.query.level,
        ...resolveRange(deps, request.query),
        signal: request.abortSignal,
      })
      return { attributes: keys.map(({ key, level, kinds }) => ({ key, level, types: kinds.map(typeOf) })) }
    },
  )
  app.get(
    '/attributes/:key/values',
    {
      schema: {
        summary: 'Values of an attribute',
        description:
          'The most frequent first, from the newest 200,000 spans of the range: a suggestion, not a census.',
        tags: ['attributes'],
        params: z.strictObject({
          key: z.string().meta({
            description: 'The key of an attribute, as `/api/attributes` tells it.',
            example: 'k8s.namespace.name',
          }),
        }),
        querystring: z.strictObject({
          level: z
            .enum(['span', 'resource'], 'expected span or resource')
            .meta({ description: 'Where the attribute stands; either when absent.' })
            .optional(),
          service: z
            .string()
            .min(1, 'expected a service name')
            .meta({ description: 'Only what this service sent.' })
            .optional(),
          ...rangeParameters,
          limit: wholeNumber(
            1,
            deps.limits.maxPageSize,
            'Most values to return; 100 when absent.',
          ).optional(),
        }),
        response: { 200: attributeValuesResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const { level, service, limit } = request.query
      const values = await listAttributeValues(deps, {
        tenant: request.tenant,
        key: request.params.key,
        level,
        service,
        limit: limit ?? 100,
        ...resolveRange(deps, request.query),
        signal: request.abortSignal,
      })
      return { values: values.map(({ value, kind, count }) => ({ value, type: typeOf(kind), count })) }
    },
  )
}

function typeOf(kind: string): (typeof TYPES)[number] {
  return TYPE_BY_KIND[kind] ?? 'string'
}
