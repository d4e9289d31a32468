import { Gauge, type Registry } from 'prom-client'
import { type Ingest, startIngest } from '../ingest/start-ingest.ts'
import { createMetricsEngine } from '../query/metrics/create-metrics-engine.ts'
import { DEFAULT_QUERY_LIMITS, type QueryDeps } from '../query/query-deps.ts'
import type { Clock } from '../runtime/clock.ts'
import { errorMessage } from '../runtime/errors.ts'
import { createHttpServer } from '../runtime/http-server.ts'
import { assertMayListen } from '../runtime/listen-policy.ts'
import type { Logger } from '../runtime/logger.ts'
import { mergedRegistry, type ThreadMetrics } from '../runtime/metrics.ts'
import { startSelfTelemetry } from '../runtime/self-telemetry.ts'
import { readTls } from '../runtime/tls.ts'
import { createTokenAccess } from '../runtime/token-file.ts'
import type { Storage } from '../storage/storage.ts'
import type { Config } from './config.ts'
import { prepareDataDir } from './prepare-data-dir.ts'
import { programVersion } from './program-version.ts'
import type { ReadinessCheck } from './readiness.ts'
import { registerRoutes } from './register-routes.ts'
import type { Role } from './role.ts'
import { createShutdownStack, type ShutdownStack } from './shutdown-stack.ts'
import { alertingReloads, startAlertingRole } from './start-alerting-role.ts'
import { closeApi, listenApi, reloadCertificates, tlsFiles } from './start-api.ts'
import { startStorage } from './start-storage.ts'
import { traceStorage } from './trace-storage.ts'
import { samplesOfQuery, watchChanges } from './watch-changes.ts'

/** What a server is made from. */
export interface ServerOptions {
  readonly config: Config
  readonly roles: ReadonlySet<Role>
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Whether the log is for people; other threads log alike. */
  readonly isLogReadable: boolean
  /** Called when a part ends that nobody asked to end: the process must not go on without it. */
  readonly onFailure: (error: Error) => void
}

/** A server that is ready. */
export interface RunningServer {
  /** Where it listens, as the ready line says it. */
  readonly addresses: Readonly<Record<string, string>>
  /** Reads tokens, certificates, scrape jobs, rules and the alerting configuration again. What is bad stays as it was and is logged. */
  reload(): Promise<void>
  /** Stops accepting, finishes what runs (30 s at most), flushes, closes. Never throws. */
  stop(): Promise<void>
}

/** Reads something again; throws when it is bad, and then nothing has changed. */
export type Reload = () => Promise<void> | void

/** How long stopping may take altogether, milliseconds. */
export const STOP_LIMIT_MS = 30_000
/** How long running requests may take once the server stops: what is left is for flushing. */
const REQUEST_GRACE_MS = 25_000
/** How much longer the receivers listen while the rest is stopping, milliseconds. */
const OWN_TELEMETRY_GRACE_MS = 1_000

/**
 * Starts everything its roles need: self-telemetry, storage with its schema, retention, ingest, the API, alerting and rules.
 * Throws AppError CANNOT_START with one sentence; what was started by then is stopped again.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const stack = createShutdownStack(options.logger)
  try {
    return await startParts(options, stack)
  } catch (error) {
    await stack.stopAll()
    throw error
  }
}

async function startParts(options: ServerOptions, stack: ShutdownStack): Promise<RunningServer> {
  const { config, roles, clock, logger, registry } = options
  assertListeners(options)
  const access = createTokenAccess({ tokensFile: config.http.auth.tokensFile })
  const files = tlsFiles(config.http.tls)
  const tls = files === null ? null : readTls(files)
  prepareDataDir(config.dataDir)

  const { storage: opened, whenConnected } = await startStorage(options, stack)
  const { storage, bounds, changes } = watchChanges(opened, config.query, options)
  await whenConnected(() => registerBuildInfo(registry, storage.version))

  const edges = {
    ingest: createShutdownStack(logger),
    api: createShutdownStack(logger),
    alerting: createShutdownStack(logger),
  }
  stack.push('edges', () => stopEdges(edges))
  const ingest = roles.has('ingest') ? await startIngestRole(options, storage) : null
  edges.ingest.push('ingest', async () => await ingest?.close())
  const threadMetrics = async (): Promise<readonly ThreadMetrics[]> =>
    ingest === null ? [] : [await ingest.threadMetrics()]
  const telemetry = await startSelfTelemetry({
    config: config.telemetry,
    version: programVersion(),
    clock,
    logger,
    collect: async () => mergedRegistry(registry, await threadMetrics()),
  })
  edges.api.push('telemetry', () => telemetry.stop())

  const checks: Readonly<Record<string, ReadinessCheck>> = {
    storage: async () => {
      await storage.ping()
      return { isReady: true, kind: storage.kind, version: storage.version }
    },
    ...(ingest === null ? {} : { ingest: () => ({ ...ingest.readiness() }) }),
  }
  const api = createHttpServer({ access, tls, clock, logger, registry })
  const queryDeps: QueryDeps = {
    storage: traceStorage(storage),
    clock,
    logger,
    registry,
    limits: DEFAULT_QUERY_LIMITS,
    externalUrl: config.http.externalUrl,
  }
  const engine = createMetricsEngine(queryDeps, {
    maxSamples: samplesOfQuery(config.query),
    path: config.query.path,
    ...(changes === undefined ? {} : { changes }),
  })
  let externalUrl = config.http.externalUrl ?? ''
  const parts = await registerRoutes(api, {
    roles,
    config,
    queryDeps,
    engine,
    bounds,
    ingest,
    checks,
    threadMetrics,
    externalUrl: () => externalUrl,
  })
  edges.api.push('api', () => closeApi(api, REQUEST_GRACE_MS))
  const http = await listenApi(api, config.http)
  externalUrl = config.http.externalUrl ?? http
  if (parts !== null) {
    const deps = { storage, engine, queryDeps, externalUrl }
    await whenConnected(() => startAlertingRole(options, deps, parts, edges.alerting))
  }

  const reloads: readonly (readonly [string, Reload])[] = [
    ['tokens', () => access.reload()],
    ['certificates', () => reloadCertificates(api, config.http)],
    ...(ingest === null ? [] : ingestReloads(ingest)),
    ...(parts === null ? [] : alertingReloads(parts)),
  ]
  return {
    addresses: {
      http,
      ...(ingest === null ? {} : { otlpHttp: ingest.otlpHttpUrl, otlpGrpc: ingest.otlpGrpcAddress }),
    },
    reload: async () => {
      for (const [what, reload] of reloads) await reloadPart(logger, what, reload)
    },
    stop: () => stack.stopAll(),
  }
}

/** What SIGHUP reads again in the receiver thread. */
function ingestReloads(ingest: Ingest): readonly (readonly [string, Reload])[] {
  return [
    ['tokens of the receivers', () => ingest.reload('tokens')],
    ['certificates of the receivers', () => ingest.reload('certificates')],
    ['scrape jobs', () => ingest.reload('scrape jobs')],
  ]
}

/** At the same time: while one finishes what runs, the others accept nothing new either. */
async function stopEdges(
  edges: Readonly<Record<'ingest' | 'api' | 'alerting', ShutdownStack>>,
): Promise<void> {
  const quiet = Promise.all([edges.api.stopAll(), edges.alerting.stopAll()])
  // Our own last telemetry may be meant for our own receivers.
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, OWN_TELEMETRY_GRACE_MS)
  await Promise.race([quiet, late])
  clearTimeout(timer)
  await Promise.all([quiet, edges.ingest.stopAll()])
}

async function reloadPart(logger: Logger, what: string, reload: Reload): Promise<void> {
  try {
    await reload()
    logger.info({ event: 'reloaded', what })
  } catch (error) {
    logger.error(
      { event: 'reload-failed', what, reason: errorMessage(error) },
      `The ${what} in force stay as they were`,
    )
  }
}

function startIngestRole(options: ServerOptions, storage: Storage): Promise<Ingest> {
  const { config, clock, logger, registry, onFailure, isLogReadable } = options
  return startIngest({
    config: config.ingest,
    scrape: config.scrape,
    programVersion: programVersion(),
    dataDir: config.dataDir,
    storage,
    access: { tokensFile: config.http.auth.tokensFile },
    tls: tlsFiles(config.http.tls),
    retention: { tracesMs: config.retention.traces, metricsMs: config.retention.metrics },
    clock,
    logger,
    registry,
    isLogReadable,
    onFailure,
  })
}

function assertListeners({ config, roles }: ServerOptions): void {
  const protection = {
    hasTokens: config.http.auth.tokensFile !== null,
    hasClientCertificates: config.http.tls.clientCaFile !== null,
    isInsecureMeant: config.http.auth.insecure,
  }
  assertMayListen({ name: 'http', host: config.http.host, ...protection })
  if (!roles.has('ingest')) return
  assertMayListen({ name: 'ingest.otlpHttp', host: config.ingest.otlpHttp.host, ...protection })
  assertMayListen({ name: 'ingest.otlpGrpc', host: config.ingest.otlpGrpc.host, ...protection })
}

function registerBuildInfo(registry: Registry, clickhouse: string): void {
  new Gauge({
    name: 'meshwatch_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node', 'clickhouse'],
    registers: [registry],
  }).set({ version: programVersion(), node: process.versions.node, clickhouse }, 1)
}
