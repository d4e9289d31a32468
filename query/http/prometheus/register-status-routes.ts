import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { PrometheusAnswer, PrometheusApiDeps } from './prometheus-api-deps.ts'
import { parametersOf } from './request-parameters.ts'

/** Grafana and others decide by it what they may ask for. */
const API_OF_VERSION = '3.5.0'
const NO_TARGETS = { activeTargets: [], droppedTargets: [], droppedTargetCounts: {} }

/** Routes about the server itself and about what other rooms know: what Grafana and promtool look at before they ask. */
export function registerStatusRoutes(app: FastifyInstance, deps: PrometheusApiDeps): void {
  const answer = (path: string, from: PrometheusAnswer) =>
    app.get(path, async (request: FastifyRequest) => ({
      status: 'success',
      data: await from({ tenant: request.tenant, query: parametersOf(request) }),
    }))
  const { bounds, clock } = deps
  const startedAtMs = clock.now()
  answer('/api/v1/rules', deps.rules ?? (() => ({ groups: [] })))
  answer('/api/v1/alerts', deps.alerts ?? (() => ({ alerts: [] })))
  answer('/api/v1/targets', deps.targets ?? (() => NO_TARGETS))
  answer('/api/v1/targets/metadata', () => [])
  answer('/api/v1/alertmanagers', () => ({ activeAlertmanagers: [], droppedAlertmanagers: [] }))
  answer('/api/v1/status/buildinfo', () => ({
    version: API_OF_VERSION,
    revision: '',
    branch: 'meshwatch',
    buildUser: '',
    buildDate: '',
    goVersion: '',
  }))
  // Nothing of the configuration is told: it holds addresses and names of files.
  answer('/api/v1/status/config', () => ({ yaml: '' }))
  answer('/api/v1/status/flags', () => ({
    'query.lookback-delta': '5m',
    ...(bounds === undefined
      ? {}
      : {
          'query.max-concurrency': String(bounds.concurrency),
          'query.timeout': `${bounds.timeoutMs}ms`,
        }),
  }))
  answer('/api/v1/status/runtimeinfo', () => ({
    startTime: new Date(startedAtMs).toISOString(),
    CWD: '',
    reloadConfigSuccess: true,
    lastConfigTime: new Date(startedAtMs).toISOString(),
    corruptionCount: 0,
    goroutineCount: 0,
    GOMAXPROCS: 0,
    GOMEMLIMIT: 0,
    GOGC: '',
    GODEBUG: '',
    storageRetention: '',
  }))
  answer('/api/v1/status/walreplay', () => ({ min: 0, max: 0, current: 0 }))
  app.get('/-/healthy', async () => 'Prometheus Server is Healthy.\n')
  app.get('/-/ready', async () => 'Prometheus Server is Ready.\n')
}
