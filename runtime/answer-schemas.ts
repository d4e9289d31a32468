import { z } from 'zod'

/** Whole nanoseconds as decimal text: they do not fit in a JSON number. */
export const nanos = z
  .string()
  .regex(/^-?\d+$/)
  .meta({ description: 'Nanoseconds, decimal.', example: '250000999' })

/** A count. */
export const count = z.int().min(0)

/** An error of the native API. */
export const errorResponse = z
  .looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) })
  .meta({ id: 'Error' })

/** What every route behind a token may answer. */
export const TOKEN_ERRORS = {
  401: errorResponse.describe('No token, or an unknown one.'),
  403: errorResponse.describe('The token may not do this.'),
} as const

/** What every route that reads ClickHouse may answer. */
export const READ_ERRORS = {
  400: errorResponse.describe('A parameter is wrong; the message names it.'),
  ...TOKEN_ERRORS,
  422: errorResponse.describe('The answer would be larger than a read may be.'),
  503: errorResponse.describe('ClickHouse cannot be reached; try again.'),
  504: errorResponse.describe('The read took longer than a read may take.'),
} as const
