import type { FastifyInstance } from 'fastify'
import { describeOnly } from '../../runtime/describe-only.ts'
import type { Alerting } from '../start-alerting.ts'
import { type RuleAlerts, registerAlertRoutes } from './register-alert-routes.ts'
import { registerNotificationRoutes } from './register-notification-routes.ts'
import { registerSilenceRoutes } from './register-silence-routes.ts'

/** Serves this room's part of the native REST API, under `/api`: alerts, silences and notifications. */
export function registerAlertingApi(
  app: FastifyInstance,
  alerting: Alerting,
  options: RuleAlerts = {},
): void {
  app.register(
    async (api) => {
      describeOnly(api)
      registerAlertRoutes(api, alerting, options)
      registerSilenceRoutes(api, alerting)
      registerNotificationRoutes(api, alerting)
    },
    { prefix: '/api' },
  )
}
