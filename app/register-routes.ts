import type { FastifyInstance } from 'fastify'
import { createRefusals } from '../ingest/create-refusals.ts'
import { registerRemoteWrite } from '../ingest/prometheus/register-remote-write.ts'
import { prometheusTargets } from '../ingest/scrape/prometheus-targets.ts'
import type { Ingest } from '../ingest/start-ingest.ts'
import type { PrometheusAnswer } from '../query/http/prometheus/prometheus-api-deps.ts'
import { firstValue } from '../query/http/query-values.ts'
import { type QueryApiDeps, registerQueryApi } from '../query/http/register-query-api.ts'
import type { QueryEngine } from '../query/promql/query-engine.ts'
import type { QueryDeps } from '../query/query-deps.ts'
import { describeApi } from '../runtime/describe-api.ts'
import type { Config } from './config.ts'
import type { ReadinessCheck } from './readiness.ts'
import { registerGraph } from './register-graph.ts'
import { type OperationsDeps, registerOperations } from './register-operations.ts'
import type { Role } from './role.ts'
import {
  type AlertingParts,
  prometheusAnswers,
  readAlerting,
  registerAlertingRole,
} from './start-alerting-role.ts'

/** What the routes of the API port are made from. */
export interface RoutesDeps {
  readonly roles: ReadonlySet<Role>
  readonly config: Pick<Config, 'ingest'>
  readonly queryDeps: QueryDeps
  readonly engine: QueryEngine
  readonly bounds?: QueryApiDeps['bounds']
  /** Null without the role `ingest`. */
  readonly ingest: Pick<Ingest, 'write' | 'targets'> | null
  /** What must be ready beside alerting. */
  readonly checks: Readonly<Record<string, ReadinessCheck>>
  readonly threadMetrics: OperationsDeps['threadMetrics']
  /** How users reach the API, without trailing slash; asked once the server listens. */
  readonly externalUrl: () => string
}

/**
 * Serves everything that the roles answer on the API port, and the description of the native API. Call before the server listens. Returns what
 * {@link startAlertingRole} is to start; null without that role.
 */
export async function registerRoutes(app: FastifyInstance, deps: RoutesDeps): Promise<AlertingParts | null> {
  const { roles, queryDeps, ingest } = deps
  const { registry, logger } = queryDeps
  const isApi = roles.has('query') || roles.has('alerting')
  if (isApi) await describeApi(app, queryDeps.externalUrl)
  const parts = roles.has('alerting') ? registerAlertingRole(app, deps.externalUrl) : null
  const checks = {
    ...deps.checks,
    ...(parts === null ? {} : { alerting: () => readAlerting(parts) }),
  }
  registerOperations(app, { registry, checks, threadMetrics: deps.threadMetrics })
  if (ingest !== null) {
    const { maxMessageSize, maxInFlight } = deps.config.ingest
    registerRemoteWrite(app, {
      write: ingest.write,
      maxMessageBytes: maxMessageSize,
      maxInFlightBytes: maxInFlight,
      logger,
      refusals: createRefusals(registry),
    })
  }
  if (roles.has('query')) {
    await registerQueryApi(app, {
      ...queryDeps,
      engine: deps.engine,
      ...(deps.bounds === undefined ? {} : { bounds: deps.bounds }),
      ...(parts === null ? {} : prometheusAnswers(parts)),
      ...(ingest === null ? {} : { targets: targetsAnswer(ingest) }),
    })
    registerGraph(app)
  }
  return parts
}

/** What is scraped is the default tenant's. */
function targetsAnswer(ingest: Pick<Ingest, 'targets'>): PrometheusAnswer {
  return async ({ tenant, query }) => {
    const view = tenant === 'default' ? await ingest.targets() : { active: [], dropped: [] }
    const one = (name: string) => firstValue(query, name) ?? ''
    return prometheusTargets(view, { state: one('state'), scrapePool: one('scrapePool') })
  }
}
