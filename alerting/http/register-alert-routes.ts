import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { fingerprint } from '../../model/fingerprint.ts'
import { labelsFrom, labelsToRecord } from '../../model/labels.ts'
import { errorResponse, TOKEN_ERRORS } from '../../runtime/answer-schemas.ts'
import type { Alerting } from '../start-alerting.ts'
import { explainAlert } from '../views/explain-alert.ts'
import { nanos } from '../views/notification-view.ts'
import { type AlertView, viewAlerts } from '../views/view-alerts.ts'
import { alertsResponse, explanationResponse } from './alert-schemas.ts'
import { STARTING_ERROR } from './starting-error.ts'

/** The alerts of the rules, as they are handed in. */
export interface RuleAlerts {
  /** The alerts of a tenant, pending ones too, in the form they are answered in; each has `labels`. Default: none. */
  readonly ruleAlerts?: (tenant: string) => readonly object[]
  /** What describes that form. Default: anything with labels. */
  readonly ruleAlert?: z.ZodObject
}

const ANY_ALERT = z.looseObject({ labels: z.record(z.string(), z.string()) })
const ERRORS = { ...TOKEN_ERRORS, ...STARTING_ERROR }

/** Serves `/api/alerts` and `/api/alerts/{fingerprint}/explain`, on a scope whose prefix is `/api`. */
export function registerAlertRoutes(api: FastifyInstance, alerting: Alerting, options: RuleAlerts): void {
  api.get(
    '/alerts',
    {
      schema: {
        summary: 'Alerts, with what alerting does about each',
        description:
          'Those of the rules: pending, firing, and ended within the last 15 minutes; then those that fire and were posted, or whose rule ' +
          'is gone.',
        tags: ['alerts'],
        response: { 200: alertsResponse(options.ruleAlert ?? ANY_ALERT), ...ERRORS },
      },
    },
    async (request) => ({
      alerts: listAlerts(alerting, request.tenant, options.ruleAlerts?.(request.tenant) ?? []),
    }),
  )
  api.get(
    '/alerts/:fingerprint/explain',
    {
      schema: {
        summary: 'Why an alert did or did not notify',
        description:
          'Where it is routed, what mutes it, what each integration was told, the last decision with its reason, and when its group is ' +
          'looked at next.',
        tags: ['alerts'],
        params: z.strictObject({
          fingerprint: z
            .string()
            .meta({ description: 'As `/api/alerts` tells it: 16 hex digits.', example: '0123456789abcdef' }),
        }),
        response: {
          200: explanationResponse,
          ...ERRORS,
          404: errorResponse.describe('Alerting knows no such alert; it may have ended and been told.'),
        },
      },
    },
    async (request) => {
      const params = request.params as { readonly fingerprint: string }
      return explainAlert(alerting, request.tenant, params.fingerprint)
    },
  )
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
