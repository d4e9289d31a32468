import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { parseDuration } from '../../model/duration.ts'
import { fingerprint } from '../../model/fingerprint.ts'
import { labelsFrom, labelsToRecord } from '../../model/labels.ts'
import { AppError } from '../../runtime/errors.ts'
import { findNotifications } from '../history/find-notifications.ts'
import { expireSilence, findSilence, setSilence } from '../muting/change-silences.ts'
import { type Silence, silenceState } from '../muting/silence.ts'
import { matcherText } from '../routing/group-key.ts'
import type { Alerting } from '../start-alerting.ts'
import { explainAlert } from '../views/explain-alert.ts'
import { nanos } from '../views/notification-view.ts'
import { type AlertView, viewAlerts } from '../views/view-alerts.ts'
import { postableSilence, readRequest } from './request-schemas.ts'

/** What the routes take from elsewhere. */
export interface AlertingApiOptions {
  /** The alerts of the rules, pending ones too, in the form they are answered in; each has `labels`. Default: none. */
  readonly ruleAlerts?: (tenant: string) => readonly object[]
}

const DAY_MS = 86_400_000

/**
 * Serves `/api/alerts` (with what alerting does about each), `/api/alerts/{fingerprint}/explain`, `/api/silences` and
 * `/api/notifications`.
 */
export function registerAlertingApi(
  app: FastifyInstance,
  alerting: Alerting,
  options: AlertingApiOptions = {},
): void {
  app.register(
    async (api) => {
      api.get('/alerts', async (request) => ({
        alerts: listAlerts(alerting, request.tenant, options.ruleAlerts?.(request.tenant) ?? []),
      }))
      api.get('/alerts/:fingerprint/explain', async (request) => {
        const params = request.params as { readonly fingerprint: string }
        return explainAlert(alerting, request.tenant, params.fingerprint)
      })
      registerSilenceRoutes(api, alerting)
      api.get('/notifications', async (request) => {
        const query = readRequest(notificationQuery, request.query, 'the query parameters')
        const now = alerting.clock.now()
        const fromMs = readTime(query.start, 'start', now) ?? now - 30 * DAY_MS
        // What is being made this very moment belongs to now.
        const toMs = readTime(query.end, 'end', now) ?? now + 1
        const filter = { ...query, fromMs, toMs }
        return {
          notifications: await findNotifications(alerting, request.tenant, filter, request.abortSignal),
        }
      })
    },
    { prefix: '/api' },
  )
}

const notificationQuery = z.strictObject({
  receiver: z.string().min(1).optional(),
  integration: z.enum(['webhook', 'email']).optional(),
  state: z.enum(['pending', 'delivered', 'failed']).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits')
    .optional(),
  start: z.string().optional(),
  end: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

function registerSilenceRoutes(api: FastifyInstance, alerting: Alerting): void {
  api.get('/silences', async (request) => {
    const now = alerting.clock.now()
    const silences = [...alerting.state.silences.values()]
      .filter((silence) => silence.tenant === request.tenant)
      .sort((a, b) => b.startsAtMs - a.startsAtMs)
    return { silences: silences.map((silence) => silenceView(silence, now)) }
  })
  api.get('/silences/:id', async (request) => {
    const { id } = request.params as { readonly id: string }
    return silenceView(findSilence(alerting.state, request.tenant, id), alerting.clock.now())
  })
  api.post('/silences', async (request) => {
    const given = readRequest(postableSilence, request.body, 'the silence')
    const now = alerting.clock.now()
    const { id, events } = setSilence(
      alerting.state,
      {
        ...given,
        tenant: request.tenant,
        id: given.id || null,
        startsAtMs: given.startsAt ?? now,
        endsAtMs: given.endsAt ?? now,
        annotations: given.annotations ?? {},
      },
      now,
      () => crypto.randomUUID(),
    )
    await alerting.record(events)
    return silenceView(findSilence(alerting.state, request.tenant, id), now)
  })
  api.delete('/silences/:id', async (request) => {
    const { id } = request.params as { readonly id: string }
    const now = alerting.clock.now()
    const events = expireSilence(alerting.state, request.tenant, id, now)
    if (events.length > 0) await alerting.record(events)
    return silenceView(findSilence(alerting.state, request.tenant, id), now)
  })
}

function silenceView(silence: Silence, nowMs: number): object {
  const { id, matchers, createdBy, comment, annotations } = silence
  return {
    id,
    state: silenceState(silence, nowMs),
    matchers: matchers.map((matcher) => ({ ...matcher, text: matcherText(matcher) })),
    startsUnixNano: nanos(silence.startsAtMs),
    endsUnixNano: nanos(silence.endsAtMs),
    updatedUnixNano: nanos(silence.updatedAtMs),
    createdBy,
    comment,
    annotations,
  }
}

function listAlerts(alerting: Alerting, tenant: string, ruleAlerts: readonly object[]): object[] {
  const views = new Map(viewAlerts(alerting, tenant).map((view) => [view.alert.fingerprint, view]))
  const listed = ruleAlerts.map((ruleAlert) => {
    const { labels } = ruleAlert as { readonly labels: Readonly<Record<string, string>> }
    const print = fingerprint(labelsFrom(Object.entries(labels)))
    const view = views.get(print)
    views.delete(print)
    return {
      fingerprint: print,
      ...ruleAlert,
      notification: view === undefined ? null : fate(alerting, view),
    }
  })
  // Those that were posted to the Alertmanager API, or whose rules are gone.
  const others = [...views.values()].map((view) => ({
    fingerprint: view.alert.fingerprint,
    state: 'firing',
    labels: labelsToRecord(view.alert.labels),
    annotations: labelsToRecord(view.alert.annotations),
    firedAtUnixNano: nanos(view.alert.startsAtMs),
    generatorUrl: view.alert.generatorUrl,
    notification: fate(alerting, view),
  }))
  return [...listed, ...others]
}

/** What alerting does about an alert. */
function fate(alerting: Alerting, view: AlertView): object {
  const isTold = [...alerting.state.groups.values()].some(
    (group) =>
      group.tenant === view.alert.tenant &&
      Object.values(group.ledgers).some(({ open }) => open.includes(view.alert.fingerprint)),
  )
  return {
    state: view.state,
    silencedBy: view.silencedBy,
    inhibitedBy: view.inhibitedBy,
    mutedBy: view.mutedBy,
    receivers: view.receivers,
    /** Somebody was told that it fires. */
    isTold,
  }
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
