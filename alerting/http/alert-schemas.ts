import { z } from 'zod'
import { nanos } from '../../runtime/answer-schemas.ts'
import {
  fingerprintText,
  labels,
  notification,
  notificationReason,
  timeNanos,
} from './notification-schemas.ts'

const mutes = {
  silencedBy: z.array(z.string()).meta({ description: 'Ids of silences.' }),
  inhibitedBy: z.array(z.string()).meta({ description: 'Fingerprints of alerts.' }),
  mutedBy: z
    .array(z.string())
    .meta({ description: 'Time intervals that mute it now; empty unless all its routes are muted.' }),
}

const fate = z
  .strictObject({
    state: z.enum(['active', 'suppressed']).meta({ description: '`suppressed`: silenced or inhibited.' }),
    ...mutes,
    receivers: z.array(z.string()).meta({ description: 'Names of the receivers it is routed to.' }),
    isTold: z.boolean().meta({ description: 'Somebody was told that it fires.' }),
  })
  .meta({ id: 'AlertFate', description: 'What alerting does about an alert.' })

const otherAlert = z
  .strictObject({
    fingerprint: fingerprintText,
    state: z.literal('firing'),
    labels,
    annotations: labels,
    firedAtUnixNano: timeNanos('When it began to fire.'),
    generatorUrl: z.string(),
    notification: fate,
  })
  .meta({ description: 'An alert that was posted, or whose rule is gone.' })

/** The answer of `/api/alerts`, when the alerts of the rules have the form `ruleAlert`. */
export function alertsResponse(ruleAlert: z.ZodObject) {
  const listed = ruleAlert.extend({
    fingerprint: fingerprintText,
    notification: fate
      .nullable()
      .meta({ description: 'What alerting does about it; null: alerting knows no such alert that fires.' }),
  })
  return z.strictObject({
    alerts: z.array(z.union([listed.meta({ description: 'An alert of a rule.' }), otherAlert])),
  })
}

const decision = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('send'),
    reason: notificationReason,
    firing: z.array(z.string()).meta({ description: 'Fingerprints.' }),
    resolved: z.array(z.string()).meta({ description: 'Fingerprints.' }),
    isLate: z.boolean(),
  }),
  z
    .strictObject({ action: z.literal('close'), fingerprints: z.array(z.string()) })
    .meta({ description: 'Nothing is said; these endings are done with.' }),
  z.strictObject({ action: z.literal('nothing'), why: z.string() }),
])

const integration = z.strictObject({
  integration: z.string().meta({
    description: "Kind, and place among the receiver's entries of the kind.",
    example: 'webhook/0',
  }),
  isKnownFiring: z
    .boolean()
    .meta({ description: 'It was told that the alert fires, not yet that it ended.' }),
  isOwed: z
    .boolean()
    .meta({ description: 'A message was written here that it fires, and none was delivered.' }),
  lastToldUnixNano: timeNanos('When it was told something of the group last.').nullable(),
  lastDecision: decision.nullable().meta({ description: 'Of the last look since the start.' }),
  pending: notification.nullable().meta({ description: 'The message under way.' }),
})

const group = z.strictObject({
  groupKey: z.string(),
  receiver: z.string(),
  route: z
    .strictObject({
      matchers: z.array(z.string()),
      groupWaitNanos: nanos,
      groupIntervalNanos: nanos,
      repeatIntervalNanos: nanos,
      mutedBy: z.array(z.string()).meta({ description: 'Time intervals that mute the route now.' }),
    })
    .nullable()
    .meta({ description: 'Null: it is no longer in the configuration.' }),
  nextLookUnixNano: timeNanos('When the group is looked at next.'),
  lastLookUnixNano: timeNanos('When it was looked at last, since the start.').nullable(),
  wasMutedAtLastLook: z.boolean(),
  integrations: z.array(integration),
})

/** The answer of `/api/alerts/{fingerprint}/explain`. */
export const explanationResponse = z
  .strictObject({
    fingerprint: fingerprintText,
    labels,
    state: z.enum(['firing', 'resolved']),
    startsUnixNano: timeNanos('When it began to fire.'),
    endsUnixNano: timeNanos('When it ended, or until when it is believed without news.'),
    ...mutes,
    groups: z.array(group).meta({ description: 'The groups it is a member of.' }),
  })
  .meta({ id: 'AlertExplanation' })
