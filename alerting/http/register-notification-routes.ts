import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { parseDuration } from '../../model/duration.ts'
import { errorResponse, READ_ERRORS } from '../../runtime/answer-schemas.ts'
import { AppError } from '../../runtime/errors.ts'
import { findNotifications } from '../history/find-notifications.ts'
import type { Alerting } from '../start-alerting.ts'
import { notificationsResponse } from './notification-schemas.ts'
import { readRequest } from './request-schemas.ts'

const DAY_MS = 86_400_000
const TIME_FORMS = 'RFC 3339, Unix seconds (decimals allowed), or `now-1h`.'

const notificationQuery = z.strictObject({
  receiver: z.string().min(1).optional().meta({ description: 'The name of a receiver.' }),
  integration: z.enum(['webhook', 'email']).optional().meta({ description: 'The kind of receiver.' }),
  state: z
    .enum(['pending', 'delivered', 'failed'])
    .optional()
    .meta({ description: '`pending`: it is still being tried.' }),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits')
    .optional()
    .meta({ description: 'Of an alert in the message, as `/api/alerts` tells it.' }),
  start: z
    .string()
    .optional()
    .meta({
      description: `When it was made, inclusive; 30 days before now when absent. ${TIME_FORMS}`,
      example: 'now-1d',
    }),
  end: z
    .string()
    .optional()
    .meta({ description: `When it was made, exclusive; now when absent. ${TIME_FORMS}`, example: 'now' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .meta({ description: 'Most messages to return.' }),
})

/** Serves `/api/notifications`, on a scope whose prefix is `/api`. */
export function registerNotificationRoutes(api: FastifyInstance, alerting: Alerting): void {
  api.get(
    '/notifications',
    {
      schema: {
        summary: 'Messages to receivers, with attempts and receipts',
        description:
          'Newest first; those under way and those that have ended. A message that a newer one replaced before it was delivered is ' +
          '`failed`, with `supersededBy`.',
        tags: ['notifications'],
        querystring: notificationQuery,
        response: {
          200: notificationsResponse,
          ...READ_ERRORS,
          503: errorResponse.describe('Alerting is starting, or ClickHouse cannot be reached; try again.'),
        },
      },
    },
    async (request) => {
      const query = readRequest(notificationQuery, request.query, 'the query parameters')
      const now = alerting.clock.now()
      const fromMs = readTime(query.start, 'start', now) ?? now - 30 * DAY_MS
      // What is being made this very moment belongs to now.
      const toMs = readTime(query.end, 'end', now) ?? now + 1
      const filter = { ...query, fromMs, toMs }
      return {
        notifications: await findNotifications(alerting, request.tenant, filter, request.abortSignal),
      }
    },
  )
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i

/** RFC 3339, Unix seconds, `now` or `now-1h`; null when it is not there. Throws INVALID_ARGUMENT. */
function readTime(text: string | undefined, name: string, nowMs: number): number | null {
  if (text === undefined) return null
  if (text === 'now') return nowMs
  const ago = text.startsWith('now-') ? parseDuration(text.slice(4)) : null
  if (ago !== null) return nowMs - ago
  if (/^\d{1,11}(\.\d+)?$/.test(text)) return Math.floor(Number(text) * 1000)
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw new AppError(
    'INVALID_ARGUMENT',
    `Cannot read ${name}: expected RFC 3339, Unix seconds or now-1h, not ${JSON.stringify(text)}`,
  )
}
