import type { FastifyInstance } from 'fastify'
import { createNotifierFactory } from '../alerting/create-notifier-factory.ts'
import { registerAlertingApi } from '../alerting/http/register-alerting-api.ts'
import { registerAlertmanagerApi } from '../alerting/http/register-alertmanager-api.ts'
import { type Alerting, startAlerting } from '../alerting/start-alerting.ts'
import type { PrometheusApiDeps } from '../query/http/prometheus/prometheus-api-deps.ts'
import type { QueryEngine } from '../query/promql/query-engine.ts'
import type { QueryDeps } from '../query/query-deps.ts'
import { registerRulesApi } from '../rules/http/register-rules-api.ts'
import { type Rules, startRules } from '../rules/start-rules.ts'
import { nativeAlerts } from '../rules/views/native-rules.ts'
import { ruleAlert } from '../rules/views/native-rules-schemas.ts'
import { prometheusAlerts, prometheusRules } from '../rules/views/prometheus-rules.ts'
import { DEFAULT_TENANT } from '../runtime/access-control.ts'
import type { Storage } from '../storage/storage.ts'
import { createEvidenceProvider } from './gather-evidence.ts'
import { createLatePart, type LatePart } from './late-part.ts'
import { programVersion } from './program-version.ts'
import type { DependencyState } from './readiness.ts'
import { readRulesFilter } from './rules-filter.ts'
import type { ShutdownStack } from './shutdown-stack.ts'
import type { Reload, ServerOptions } from './start-server.ts'

/** Rules and alerting, as routes see them: from before they run. */
export interface AlertingParts {
  readonly rules: LatePart<Rules>
  readonly alerting: LatePart<Alerting>
}

/** Serves what rules and alerting know. Call before the server listens; `externalUrl` is asked when it does. */
export function registerAlertingRole(app: FastifyInstance, externalUrl: () => string): AlertingParts {
  const rules = createLatePart<Rules>('rules')
  const alerting = createLatePart<Alerting>('alerting')
  registerRulesApi(app, (tenant) => rulesOf(tenant, rules.part))
  registerAlertingApi(app, alerting.part, {
    ruleAlerts: (tenant) => nativeAlerts(rulesOf(tenant, rules.part), externalUrl()),
    ruleAlert,
  })
  registerAlertmanagerApi(app, alerting.part)
  return { rules, alerting }
}

/** What {@link startAlertingRole} needs beside the server's options. */
export interface AlertingRoleDeps {
  readonly storage: Storage
  readonly engine: QueryEngine
  readonly queryDeps: QueryDeps
  /** How users reach the API, without trailing slash. */
  readonly externalUrl: string
}

/**
 * Starts alerting, then the rules that feed it; they stop in the other order, so that what rules tell last is heard. Throws AppError CANNOT_START or
 * INVALID_ARGUMENT when a configuration or rule file is bad.
 */
export async function startAlertingRole(
  { config, clock, logger, registry }: ServerOptions,
  deps: AlertingRoleDeps,
  parts: AlertingParts,
  stack: ShutdownStack,
): Promise<void> {
  const { storage, engine, queryDeps, externalUrl } = deps
  const { webhook } = config.alerting
  const alerting = await startAlerting({
    storage,
    clock,
    logger,
    registry,
    config: config.alerting,
    dataDir: config.dataDir,
    notifiers: createNotifierFactory({
      policy: { isPrivateAllowed: webhook.allowPrivate, allow: webhook.allow, deny: webhook.deny },
      programVersion: programVersion(),
    }),
    evidence: createEvidenceProvider({ ...queryDeps, externalUrl }),
    externalUrl,
  })
  stack.push('alerting', () => alerting.close())
  parts.alerting.start(alerting)
  const rules = await startRules({
    engine,
    storage,
    clock,
    logger,
    registry,
    config: config.rules,
    tenant: DEFAULT_TENANT,
    onAlerts: (notices) => alerting.receive(notices),
    externalUrl,
  })
  stack.push('rules', () => rules.close())
  parts.rules.start(rules)
}

/** Whether rules and alerting run, for `/readyz`. */
export function readAlerting({ rules, alerting }: AlertingParts): DependencyState {
  const isReady = rules.isStarted() && alerting.isStarted()
  return isReady ? { isReady } : { isReady, reason: 'it is starting' }
}

/** What SIGHUP reads again. */
export function alertingReloads(parts: AlertingParts): readonly (readonly [string, Reload])[] {
  return [
    ['alerting configuration', () => parts.alerting.part.reload()],
    ['rules', () => parts.rules.part.reload()],
  ]
}

/** What Prometheus' API answers about rules and alerts. */
export function prometheusAnswers({ rules }: AlertingParts): Pick<PrometheusApiDeps, 'rules' | 'alerts'> {
  return {
    rules: ({ tenant, query }) => prometheusRules(rulesOf(tenant, rules.part), readRulesFilter(query)),
    alerts: ({ tenant }) => prometheusAlerts(rulesOf(tenant, rules.part)),
  }
}

/** Rules are evaluated for one tenant; the others have none. */
function rulesOf(tenant: string, rules: Rules): ReturnType<Rules['state']> {
  return tenant === DEFAULT_TENANT ? rules.state() : []
}
