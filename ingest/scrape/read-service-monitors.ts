import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { isClassicLabelName } from '../../model/labels.ts'
import type { ScrapeService } from './config.ts'
import type { LoadedJobs } from './load-jobs.ts'
import { type ScrapeJob, scrapeJob } from './scrape-job.ts'

const endpoint = z.looseObject({
  port: z.string().min(1).optional(),
  path: z.string().optional(),
  scheme: z.string().optional(),
  params: z.record(z.string(), z.array(z.string())).optional(),
  interval: z.string().optional(),
  scrapeTimeout: z.string().optional(),
  honorLabels: z.boolean().optional(),
  honorTimestamps: z.boolean().optional(),
  followRedirects: z.boolean().optional(),
  relabelings: z.array(z.unknown()).default([]),
  metricRelabelings: z.array(z.unknown()).default([]),
})

/** What of an endpoint is taken over; the rest is told. */
const KNOWN = new Set([...Object.keys(endpoint.shape), 'enableHttp2', 'filterRunning'])

const monitor = z.looseObject({
  kind: z.enum(['ServiceMonitor', 'PodMonitor']),
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().min(1).default('default') }),
  spec: z.looseObject({
    jobLabel: z.string().optional(),
    selector: z
      .looseObject({
        matchLabels: z.record(z.string(), z.string()).default({}),
        matchExpressions: z.array(z.unknown()).default([]),
      })
      .prefault({}),
    namespaceSelector: z
      .looseObject({ any: z.boolean().default(false), matchNames: z.array(z.string()).default([]) })
      .prefault({}),
    endpoints: z.array(endpoint).optional(),
    podMetricsEndpoints: z.array(endpoint).optional(),
    sampleLimit: z.int().min(0).optional(),
    labelLimit: z.int().min(0).optional(),
    scrapeProtocols: z.array(z.unknown()).optional(),
    fallbackScrapeProtocol: z.unknown().optional(),
    scrapeNativeHistograms: z.unknown().optional(),
    scrapeClassicHistograms: z.unknown().optional(),
    nativeHistogramBucketLimit: z.unknown().optional(),
    nativeHistogramMinBucketFactor: z.union([z.number(), z.string().transform(Number)]).optional(),
  }),
})

type Monitor = z.output<typeof monitor>
type Endpoint = z.output<typeof endpoint>

/**
 * Takes over ServiceMonitor and PodMonitor resources (YAML text, one or several documents): one job per endpoint, named as the operator names
 * it, whose targets are the services that the monitor selects. There is no Kubernetes to ask here, so the services are handed in. What is
 * not taken over is told with its path; a document that is not YAML is a failure of the file.
 */
export function readServiceMonitors(
  text: string,
  source: string,
  services: readonly ScrapeService[],
): LoadedJobs {
  const problems: string[] = []
  const failures: string[] = []
  const jobs: ScrapeJob[] = []
  const tell = (path: string, message: string) => problems.push(`${source}: ${path}: ${message}`)
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors
    if (error !== undefined) failures.push(`${source}: expected YAML: ${error.message}`)
    const raw: unknown = document.toJS()
    for (const item of itemsOf(raw)) {
      const parsed = monitor.safeParse(item)
      if (parsed.success) jobs.push(...jobsOf(parsed.data, services, tell))
      else for (const issue of parsed.error.issues) tell(issue.path.join('.'), issue.message)
    }
  }
  return { jobs, problems, failures }
}

function itemsOf(raw: unknown): readonly unknown[] {
  if (raw === null || raw === undefined) return []
  const { items } = raw as { readonly items?: unknown }
  return Array.isArray(items) ? items : [raw]
}

type Tell = (path: string, message: string) => void

function jobsOf(resource: Monitor, services: readonly ScrapeService[], tell: Tell): readonly ScrapeJob[] {
  const { metadata, spec, kind } = resource
  const key = kind === 'ServiceMonitor' ? 'endpoints' : 'podMetricsEndpoints'
  if (spec.selector.matchExpressions.length > 0) {
    tell('spec.selector.matchExpressions', 'only matchLabels are known here; nothing is selected by it')
    return []
  }
  const selected = services.filter((service) => isSelected(resource, service))
  if (selected.length === 0) {
    tell('spec.selector', `no service of scrape.services in the chosen namespaces has these labels`)
  }
  return (spec[key] ?? []).flatMap((one, index) => {
    const at = `spec.${key}[${index}]`
    for (const name of Object.keys(one)) if (!KNOWN.has(name)) tell(`${at}.${name}`, 'not taken over')
    const job = scrapeJob.safeParse({
      ...settingsOf(one),
      jobName: `${kind === 'ServiceMonitor' ? 'serviceMonitor' : 'podMonitor'}/${metadata.namespace}/${metadata.name}/${index}`,
      ...settingsOfAll(spec),
      staticConfigs: selected.flatMap((service) => targetsOf(service, one, resource)),
    })
    if (job.success) return [job.data]
    for (const issue of job.error.issues) tell(`${at}.${issue.path.join('.')}`, issue.message)
    return []
  })
}

/** What a monitor says for all of its endpoints. */
function settingsOfAll(spec: Monitor['spec']): Record<string, unknown> {
  return withoutAbsent({
    sampleLimit: spec.sampleLimit,
    labelLimit: spec.labelLimit,
    scrapeProtocols: spec.scrapeProtocols,
    fallbackScrapeProtocol: spec.fallbackScrapeProtocol,
    scrapeNativeHistograms: spec.scrapeNativeHistograms,
    alwaysScrapeClassicHistograms: spec.scrapeClassicHistograms,
    nativeHistogramBucketLimit: spec.nativeHistogramBucketLimit,
    nativeHistogramMinBucketFactor: spec.nativeHistogramMinBucketFactor,
  })
}

function settingsOf(one: Endpoint): Record<string, unknown> {
  return withoutAbsent({
    metricsPath: one.path,
    scheme: one.scheme,
    params: one.params,
    scrapeInterval: one.interval,
    scrapeTimeout: one.scrapeTimeout,
    honorLabels: one.honorLabels,
    honorTimestamps: one.honorTimestamps,
    followRedirects: one.followRedirects,
    relabelConfigs: one.relabelings,
    metricRelabelConfigs: one.metricRelabelings,
  })
}

function withoutAbsent(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function isSelected({ metadata, spec }: Monitor, service: ScrapeService): boolean {
  const { any, matchNames } = spec.namespaceSelector
  const namespaces = matchNames.length > 0 ? matchNames : [metadata.namespace]
  if (!any && !namespaces.includes(service.namespace)) return false
  return Object.entries(spec.selector.matchLabels).every(([name, value]) => service.labels[name] === value)
}

/** Targets with the labels that the operator gives them, and Kubernetes' own for relabelling. */
function targetsOf(
  service: ScrapeService,
  { port }: Endpoint,
  { kind, metadata, spec }: Monitor,
): readonly unknown[] {
  const number = port === undefined ? undefined : service.ports[port]
  if (port === undefined || number === undefined) return []
  const job = kind === 'ServiceMonitor' ? service.name : `${metadata.namespace}/${metadata.name}`
  const role = kind === 'ServiceMonitor' ? 'service' : 'pod'
  const meta = Object.entries(service.labels).flatMap(([name, value]): [string, string][] => {
    const safe = name.replace(/[^a-zA-Z0-9_]/g, '_')
    return isClassicLabelName(safe) ? [[`__meta_kubernetes_${role}_label_${safe}`, value]] : []
  })
  return [
    {
      targets: service.addresses.map((address) => `${address}:${number}`),
      labels: {
        ...Object.fromEntries(meta),
        __meta_kubernetes_namespace: service.namespace,
        [`__meta_kubernetes_${role}_name`]: service.name,
        [kind === 'ServiceMonitor'
          ? '__meta_kubernetes_endpoint_port_name'
          : '__meta_kubernetes_pod_container_port_name']: port,
        namespace: service.namespace,
        ...(kind === 'ServiceMonitor' ? { service: service.name, endpoint: port } : {}),
        job: (spec.jobLabel === undefined ? undefined : service.labels[spec.jobLabel]) ?? job,
      },
    },
  ]
}
