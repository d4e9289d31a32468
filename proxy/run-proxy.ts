import { randomUUID } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import { errorMessage } from '../runtime/errors.ts'
import { listenError } from '../runtime/listen-error.ts'
import type { Logger } from '../runtime/logger.ts'
import { startAdmin } from './admin/start-admin.ts'
import { type ClusterTable, createClusterTable } from './http/cluster-table.ts'
import { splitAddress } from './http/connect-upstream.ts'
import type { ProxyRuntime } from './http/proxy-runtime.ts'
import type { ListenerRole } from './http/request-context.ts'
import { type ProxyListener, startListener } from './http/start-listener.ts'
import type { ProxyFiles } from './load-proxy-files.ts'
import { plainCluster } from './policy/plain-cluster.ts'
import type { ClusterPolicy } from './policy/proxy-policy.ts'
import type { ProxyConfig } from './proxy-config.ts'
import { createClusterMetricsFactory } from './telemetry/cluster-metrics.ts'
import { createIstioMetrics } from './telemetry/istio-metrics.ts'
import { createMeshMetrics } from './telemetry/mesh-metrics.ts'
import { createMetricRegistry, type MetricRegistry } from './telemetry/metric-registry.ts'
import { createOtlpExporter, type OtlpExporter } from './telemetry/otlp-exporter.ts'
import { createPeerReader, formatPeer, type PeerIdentity } from './telemetry/peer-identity.ts'
import type { RequestRecord } from './telemetry/request-record.ts'
import { isWorthSending, requestSpans } from './telemetry/request-spans.ts'

/** What a proxy runs on. */
export interface RunProxyOptions {
  readonly files: ProxyFiles
  readonly clock: Clock
  readonly logger: Logger
  /** The program's version, for telemetry. */
  readonly version: string
  /** Gives numbers in `[0, 1)`; default: the machine's dice. */
  readonly random?: () => number
}

/** A proxy at work. */
export interface RunningProxy {
  readonly listeners: readonly Pick<ProxyListener, 'address' | 'role'>[]
  /** `127.0.0.1:15000`; null without admin port. */
  readonly adminAddress: string | null
  readonly clusters: ClusterTable
  /**
   * Takes over policies and endpoints; listeners, admin port and telemetry stay as they were. Throws what reading TLS files
   * throws; then everything stays.
   */
  reload(files: ProxyFiles): void
  /** Sends what is waiting to be sent. */
  flushTelemetry(): Promise<void>
  /** Lets requests end, sends the last telemetry, stops. */
  close(): Promise<void>
}

const TICK_MS = 250

/** Starts the data plane of one workload. Throws AppError CANNOT_START when an address cannot be had. */
export async function runProxy(options: RunProxyOptions): Promise<RunningProxy> {
  const { logger, clock } = options
  const random = options.random ?? Math.random
  let { files } = options
  const { config } = files
  const self = identityOf(config)
  const registry = createMetricRegistry()
  const meshMetrics = createMeshMetrics(registry)
  const clusterMetrics = createClusterMetricsFactory(registry)
  const exporter = startExporter(config, registry, options)
  const isSending = config.otlp.endpoint !== undefined
  // Ejections must not end early or late because somebody sets the wall clock.
  const steady = steadyClock(clock)
  const clusters = createClusterTable(files.policy, (policy) => ({
    policy,
    metrics: clusterMetrics(policy.name),
    clock: steady,
    random,
    peakWindowMs: config.otlp.metricsInterval,
    onEvent: (event) => {
      exporter.event(event)
      logger[event.severity]({ event: event.name, ...event.attributes }, event.body)
    },
  }))
  registry.onCollect(() => {
    for (const cluster of clusters.all()) {
      cluster.refresh()
      for (const { address, outlier } of cluster.endpoints) {
        const labels = { cluster_name: cluster.name, upstream_address: address }
        const isEjected = outlier.ejection !== null
        const wasEjectedLately =
          outlier.lastReturnMs !== null && steady.now() - outlier.lastReturnMs < EJECTED_SERIES_MS
        if (isEjected || wasEjectedLately) meshMetrics.ejected.cell(labels).value = Number(isEjected)
        else meshMetrics.ejected.remove(labels)
      }
    }
  })
  const countIstio = createIstioMetrics(registry, self)
  const proxy: ProxyRuntime = {
    clock,
    random,
    newRequestId: randomUUID,
    policy: () => files.policy,
    cluster: clusters.get,
    settings: { sampling: config.tracing.sampling / 100 },
    peerHeader: formatPeer(self),
    readPeer: createPeerReader(),
    meshMetrics,
    finished(record: RequestRecord) {
      countIstio(record)
      meshMetrics.request(record)
      if (!isSending || !isWorthSending(record, config.tracing.slow)) return
      for (const span of requestSpans(record)) exporter.span(span)
    },
  }

  const stops: (() => Promise<void>)[] = []
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  try {
    stops.push(() => exporter.close())
    const timer = setInterval(() => {
      for (const cluster of clusters.all()) cluster.tick()
    }, TICK_MS)
    stops.push(async () => clearInterval(timer))
    const admin = await openAdmin(config, {
      clusters,
      registry,
      files: () => files,
      clock: steady,
    })
    if (admin !== null) stops.push(admin.close)
    const listeners = await openListeners(config, proxy, clusters, logger)
    stops.push(async () => {
      admin?.setDraining()
      await Promise.all(listeners.map((listener) => listener.close(config.drain)))
      for (const cluster of clusters.all()) cluster.drain()
    })
    return {
      listeners,
      adminAddress: admin?.address ?? null,
      clusters,
      reload(next) {
        clusters.apply(next.policy)
        files = { ...next, config }
      },
      flushTelemetry: () => exporter.flush(),
      close: stopAll,
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

/** How long the series of an endpoint's ejection outlives it. */
const EJECTED_SERIES_MS = 3_600_000

function identityOf(config: ProxyConfig): PeerIdentity {
  const { name, namespace, labels } = config
  return {
    service: name,
    namespace,
    workload: config.workload ?? name,
    app: labels['app'] ?? name,
    version: labels['version'] ?? '',
  }
}

function startExporter(
  config: ProxyConfig,
  registry: MetricRegistry,
  options: RunProxyOptions,
): OtlpExporter {
  const { name, namespace, labels } = config
  return createOtlpExporter({
    endpoint: config.otlp.endpoint ?? null,
    headers: config.otlp.headers,
    metricIntervalMs: config.otlp.metricsInterval,
    registry,
    clock: options.clock,
    logger: options.logger,
    origin: {
      scopeVersion: options.version,
      resource: {
        // The name by which callers' clusters lead here, so that both ends of an edge agree.
        'service.name': `${name}.${namespace}`,
        'service.version': labels['version'],
        'service.instance.id': `${config.workload ?? name}-${randomUUID()}`,
        'k8s.namespace.name': namespace,
        'k8s.deployment.name': config.workload ?? name,
        'telemetry.sdk.name': 'meshwatch.proxy',
        'telemetry.sdk.language': 'nodejs',
        'telemetry.sdk.version': options.version,
      },
    },
  })
}

async function openListeners(
  config: ProxyConfig,
  proxy: ProxyRuntime,
  clusters: ClusterTable,
  logger: Logger,
): Promise<readonly ProxyListener[]> {
  const opened: ProxyListener[] = []
  for (const [index, listener] of config.listeners.entries()) {
    const { host, port } = splitAddress(listener.address)
    const role: ListenerRole =
      listener.role === 'outbound'
        ? { role: 'outbound' }
        : { role: 'inbound', cluster: clusters.add(inboundCluster(config, listener.upstream)) }
    try {
      opened.push(await startListener({ proxy, role, host, port, logger }))
    } catch (error) {
      await Promise.all(opened.map((one) => one.close(0)))
      throw listenError(`listeners[${index}]`, host, port, error)
    }
  }
  return opened
}

async function openAdmin(config: ProxyConfig, deps: Parameters<typeof startAdmin>[0]) {
  if (config.admin === undefined) return null
  const { host, port } = splitAddress(config.admin.address)
  try {
    return await startAdmin(deps, host, port)
  } catch (error) {
    throw listenError('admin.address', host, port, error)
  }
}

/** The service behind an inbound listener, by Istio's name for it. No retries: that is the caller's proxy's affair. */
function inboundCluster(config: ProxyConfig, upstream: string): ClusterPolicy {
  const { port } = splitAddress(upstream)
  const host = `${config.name}.${config.namespace}.svc.cluster.local`
  const endpoint = { address: upstream, labels: config.labels, weight: 1 }
  return { ...plainCluster(host, port, [endpoint]), name: `inbound|${port}||` }
}

function steadyClock(clock: Clock): Clock {
  const offset = clock.now() - clock.monotonic()
  return { now: () => Math.round(offset + clock.monotonic()), monotonic: () => clock.monotonic() }
}

/** One line for a log that a reload did not work. */
export function reloadFailure(error: unknown): string {
  return `${errorMessage(error)}; the policy in force stays`
}
