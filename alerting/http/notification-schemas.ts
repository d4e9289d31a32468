import { z } from 'zod'
import { count, nanos } from '../../runtime/answer-schemas.ts'
import type { NotificationView } from '../views/notification-view.ts'

/** Labels, or annotations, of an answer. */
export const labels = z.record(z.string(), z.string())

/** A fingerprint in an answer. */
export const fingerprintText = z
  .string()
  .meta({ description: 'Of the labels: 16 hex digits.', example: '0123456789abcdef' })

/** Why a message is sent, in Alertmanager's words. */
export const notificationReason = z.enum([
  'first notification',
  'new alerts added',
  'some alerts resolved',
  'all alerts resolved',
  'repeat interval elapsed',
  'unknown',
])

/** A time in an answer: nanoseconds since the epoch. */
export const timeNanos = (description: string) =>
  nanos.meta({ description: `${description} Nanoseconds since the epoch.` })

const receipt = z.strictObject({
  response: z.string().meta({ description: 'Cut to 300 characters.', example: '200 OK' }),
  recipients: z
    .array(
      z.strictObject({
        recipient: z.string(),
        fate: z.enum(['accepted', 'retry', 'rejected']),
        response: z.string(),
      }),
    )
    .exactOptional()
    .meta({ description: 'The fate of each recipient, where there are several.' }),
})

const evidence = z.strictObject({
  traces: z.array(
    z.strictObject({
      traceId: z.string(),
      why: z.enum(['slowest', 'failed', 'most-retried']),
      durationMs: z.number(),
      service: z.string(),
      operation: z.string(),
      link: z.string().nullable(),
    }),
  ),
  endpointsEjected: z.array(
    z.strictObject({
      cluster: z.string(),
      endpoint: z.string(),
      ejectedAtMs: z.number(),
      reason: z.string(),
    }),
  ),
  by503Flag: z
    .array(z.strictObject({ flags: z.string(), count, share: z.number().meta({ description: '0 to 1.' }) }))
    .meta({ description: '503s by response flags.' }),
  links: z.array(z.strictObject({ title: z.string(), url: z.string() })),
  problem: z.string().nullable().meta({ description: 'What could not be found out.' }),
})

/** A message, as {@link viewNotification} makes it. */
export const notification: z.ZodType<NotificationView> = z
  .strictObject({
    id: z.string(),
    receiver: z.string(),
    integration: z.enum(['webhook', 'email']),
    integrationIndex: count.meta({ description: "Its place among the receiver's entries of its kind." }),
    state: z.enum(['pending', 'delivered', 'failed']),
    supersededBy: z.string().nullable().meta({
      description:
        'The newer message that replaced this one before it was delivered; this one counts as `failed`.',
    }),
    failure: z
      .string()
      .nullable()
      .meta({ description: 'Why it failed, or which recipients could not be told.' }),
    status: z.enum(['firing', 'resolved']).meta({ description: '`firing` when any of its alerts fires.' }),
    reason: notificationReason.meta({ description: 'Why it is sent.' }),
    isLate: z.boolean().meta({ description: 'The first word about alerts that have ended by now.' }),
    groupKey: z.string().meta({ example: '{}:{alertname="Down"}' }),
    groupLabels: labels,
    createdUnixNano: timeNanos('When it was decided.'),
    endedUnixNano: timeNanos('When it was delivered or given up.').nullable(),
    nextAttemptUnixNano: timeNanos('When it is tried next.').nullable(),
    alerts: z
      .array(
        z.strictObject({
          fingerprint: fingerprintText,
          status: z.enum(['firing', 'resolved']),
          labels,
          annotations: labels,
          startsUnixNano: timeNanos('When it began to fire.'),
          endsUnixNano: timeNanos('When it ended.').nullable(),
        }),
      )
      .meta({ description: 'The first hundred.' }),
    alertCount: count,
    attemptCount: count,
    attempts: z
      .array(
        z.strictObject({
          number: z.int().min(1),
          atUnixNano: timeNanos('When it was made.'),
          latencyNanos: nanos,
          outcome: z.enum(['delivered', 'partially', 'retry', 'permanent']),
          reason: z.string().nullable(),
          receipt: receipt.nullable(),
        }),
      )
      .meta({ description: 'The newest, oldest first.' }),
    evidence: evidence.nullable(),
  })
  .meta({ id: 'Notification' })

/** The answer of `/api/notifications`. */
export const notificationsResponse = z
  .strictObject({ notifications: z.array(notification).meta({ description: 'Newest first.' }) })
  .meta({ id: 'Notifications' })
