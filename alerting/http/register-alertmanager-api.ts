import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AlertNotice } from '../../model/alert.ts'
import { labelsFrom, labelsToRecord } from '../../model/labels.ts'
import { compilePattern } from '../../model/matcher.ts'
import { parseMatchers } from '../../model/parse-matchers.ts'
import { AppError, errorMessage } from '../../runtime/errors.ts'
import { toAppError } from '../../runtime/http-error.ts'
import { expireSilence, findSilence, setSilence } from '../muting/change-silences.ts'
import { silenceState } from '../muting/silence.ts'
import { matcherText } from '../routing/group-key.ts'
import { compileMatchers } from '../routing/route.ts'
import type { Alerting } from '../start-alerting.ts'
import { type AlertView, viewAlerts } from '../views/view-alerts.ts'
import { gettableAlert, gettableSilence, timeText } from './alertmanager-form.ts'
import { postableAlert, postableSilence, readRequest } from './request-schemas.ts'

/** The version of Alertmanager whose API this is; clients look at it. */
const API_OF = '0.34.0'

const flag = z
  .enum(['true', 'false'])
  .default('true')
  .transform((text) => text === 'true')
const list = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((given) => [given].flat())
const alertQuery = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  muted: flag,
  filter: list,
  receiver: z.string().optional(),
})
const silenceQuery = z.object({ active: flag, pending: flag, expired: flag, filter: list })

/** Serves Alertmanager's API v2 under `/alertmanager/api/v2`, and its `/-/healthy` and `/-/ready`. */
export function registerAlertmanagerApi(app: FastifyInstance, alerting: Alerting): void {
  app.register(
    async (api) => {
      api.setErrorHandler((thrown, _, reply) => {
        const error = toAppError(thrown)
        // Clients made from Alertmanager's description expect a JSON string.
        void reply.code(error.httpStatus).type('application/json').send(JSON.stringify(error.message))
      })
      api.addHook('onSend', async (_, reply) => {
        reply.header('cache-control', 'no-store')
      })
      registerStatus(api, alerting)
      registerSilences(api, alerting)
      registerAlerts(api, alerting)
    },
    { prefix: '/alertmanager/api/v2' },
  )
  for (const path of ['healthy', 'ready']) {
    app.get(`/alertmanager/-/${path}`, { config: { access: 'open' } }, async () => 'OK')
  }
}

function registerStatus(api: FastifyInstance, alerting: Alerting): void {
  api.get('/status', async () => ({
    cluster: { status: 'disabled', peers: [] },
    versionInfo: {
      version: API_OF,
      revision: 'meshwatch',
      branch: 'HEAD',
      buildUser: '',
      buildDate: '',
      goVersion: '',
    },
    config: { original: alerting.dispatcher.config.shownText },
    uptime: timeText(alerting.startedAtMs),
  }))
  api.get('/receivers', async () =>
    [...alerting.dispatcher.config.receivers.values()].map(({ name, labels }) => ({ name, labels })),
  )
}

function registerSilences(api: FastifyInstance, alerting: Alerting): void {
  api.get('/silences', async (request) => {
    const query = readRequest(silenceQuery, request.query, 'the query parameters')
    const wanted = readFilters(query.filter).map(matcherText)
    const now = alerting.clock.now()
    const order = ['active', 'pending', 'expired']
    return [...alerting.state.silences.values()]
      .filter((silence) => silence.tenant === request.tenant && query[silenceState(silence, now)])
      .filter((silence) => {
        const texts = new Set(silence.matchers.map(matcherText))
        return wanted.every((text) => texts.has(text))
      })
      .sort(
        (a, b) =>
          order.indexOf(silenceState(a, now)) - order.indexOf(silenceState(b, now)) ||
          a.endsAtMs - b.endsAtMs,
      )
      .map((silence) => gettableSilence(silence, now))
  })
  api.post('/silences', async (request) => {
    const given = readRequest(postableSilence, request.body, 'the silence')
    const now = alerting.clock.now()
    const { id, events } = setSilence(
      alerting.state,
      {
        tenant: request.tenant,
        id: given.id === undefined || given.id === '' ? null : given.id,
        matchers: given.matchers,
        startsAtMs: given.startsAt ?? now,
        endsAtMs: given.endsAt ?? now,
        createdBy: given.createdBy,
        comment: given.comment,
        annotations: given.annotations ?? {},
      },
      now,
      () => crypto.randomUUID(),
    )
    await alerting.record(events)
    return { silenceID: id }
  })
  api.get('/silence/:id', async (request) =>
    gettableSilence(findSilence(alerting.state, request.tenant, idOf(request)), alerting.clock.now()),
  )
  api.delete('/silence/:id', async (request, reply) => {
    const events = expireSilence(alerting.state, request.tenant, idOf(request), alerting.clock.now())
    if (events.length > 0) await alerting.record(events)
    return reply.code(200).send()
  })
}

function registerAlerts(api: FastifyInstance, alerting: Alerting): void {
  api.get('/alerts', async (request) => selectAlerts(alerting, request).map(gettableAlert))
  api.get('/alerts/groups', async (request) => {
    const views = new Map(selectAlerts(alerting, request).map((view) => [view.alert.fingerprint, view]))
    return [...alerting.state.groups.values()]
      .filter((group) => group.tenant === request.tenant)
      .flatMap((group) => {
        const alerts = group.members.flatMap((print) => views.get(print) ?? [])
        if (alerts.length === 0) return []
        return [
          {
            alerts: alerts.map(gettableAlert),
            labels: labelsToRecord(group.groupLabels),
            receiver: { name: group.receiver },
            routeLabels: labelsToRecord(group.routeLabels),
          },
        ]
      })
  })
  api.post('/alerts', async (request, reply) => {
    const given = readRequest(z.array(z.unknown()), request.body, 'the alerts')
    const notices: AlertNotice[] = []
    const problems: string[] = []
    for (const [index, entry] of given.entries()) {
      try {
        notices.push(readAlert(entry, request.tenant, alerting))
      } catch (error) {
        problems.push(`${index}: ${errorMessage(error)}`)
      }
    }
    alerting.receive(notices)
    if (problems.length > 0) throw new AppError('INVALID_ARGUMENT', problems.join('; '))
    return reply.code(200).send()
  })
}

function readAlert(entry: unknown, tenant: string, alerting: Alerting): AlertNotice {
  const given = readRequest(postableAlert, entry, 'the alert')
  const now = alerting.clock.now()
  const labels = labelsFrom(Object.entries(given.labels))
  if (labels.length === 0) {
    throw new AppError('INVALID_ARGUMENT', 'Cannot take the alert: at least one label pair required')
  }
  const endsAtMs = given.endsAt ?? now + alerting.dispatcher.config.resolveTimeoutMs
  const startsAtMs = given.startsAt ?? Math.min(now, endsAtMs)
  if (startsAtMs > endsAtMs) {
    throw new AppError(
      'INVALID_ARGUMENT',
      'Cannot take the alert: the start time must be before the end time',
    )
  }
  return {
    tenant,
    labels,
    annotations: labelsFrom(Object.entries(given.annotations ?? {})),
    startsAtMs,
    endsAtMs,
    isResolved: endsAtMs <= now,
    generatorUrl: given.generatorURL ?? '',
    value: null,
    rule: null,
  }
}

function selectAlerts(alerting: Alerting, request: FastifyRequest): AlertView[] {
  const query = readRequest(alertQuery, request.query, 'the query parameters')
  const matches = compileMatchers(readFilters(query.filter))
  const isReceiver = query.receiver === undefined ? () => true : readPattern(query.receiver)
  return viewAlerts(alerting, request.tenant).filter((view) => {
    if (!matches(view.alert.labels) || !view.receivers.some(isReceiver)) return false
    if (view.state === 'active' && !query.active) return false
    if (view.silencedBy.length > 0 && !query.silenced) return false
    if (view.mutedBy.length > 0 && !query.muted) return false
    return view.inhibitedBy.length === 0 || query.inhibited
  })
}

function readFilters(filters: readonly string[]): ReturnType<typeof parseMatchers> {
  try {
    return filters.flatMap(parseMatchers)
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', `Cannot read the filter: ${errorMessage(error)}`)
  }
}

function readPattern(pattern: string): (text: string) => boolean {
  try {
    return compilePattern(pattern)
  } catch (error) {
    throw new AppError('INVALID_ARGUMENT', `Cannot read receiver: ${errorMessage(error)}`)
  }
}

function idOf(request: FastifyRequest): string {
  return String((request.params as { readonly id?: string }).id)
}
