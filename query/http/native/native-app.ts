import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { errorResponse } from './otlp-schemas.ts'

/** A server whose routes are described, and whose parameters are checked, by zod schemas. */
export type NativeApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** The errors that every route of the native API may answer. */
export const ERROR_RESPONSES = {
  400: errorResponse.describe('A parameter is wrong; the message names it.'),
  401: errorResponse.describe('No token, or an unknown one.'),
  403: errorResponse.describe('The token may not do this.'),
  422: errorResponse.describe('The answer would be larger than a read may be.'),
  503: errorResponse.describe('ClickHouse cannot be reached; try again.'),
  504: errorResponse.describe('The read took longer than a read may take.'),
} as const
