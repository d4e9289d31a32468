import type { Evidence, EvidenceProvider, EvidenceRequest, EvidenceTrace } from '../alerting/evidence.ts'
import { searchLogs } from '../query/logs/search-logs.ts'
import { findUpstreams } from '../query/mesh/find-upstreams.ts'
import { readResponseFlags } from '../query/mesh/read-response-flags.ts'
import type { QueryDeps } from '../query/query-deps.ts'
import { searchTraces } from '../query/traces/search-traces.ts'
import type { TraceSummary } from '../query/traces/trace.ts'
import type { TraceFilter } from '../query/traces/trace-filter.ts'
import { errorMessage } from '../runtime/errors.ts'
import { type EvidenceTarget, evidenceTarget } from './evidence-target.ts'

/** A message waits this long for its evidence and is then sent without. */
const TIME_LIMIT_MS = 2_000
/** Telemetry takes a moment to arrive, and proxies export in batches. */
const SETTLE_MS = 5_000
const MAX_EJECTED = 10

type Why = EvidenceTrace['why']

/** Evidence from traces, roll-ups and events of the mesh. */
export function createEvidenceProvider(deps: QueryDeps): EvidenceProvider {
  return async (request) => {
    const signal = AbortSignal.timeout(TIME_LIMIT_MS)
    const range = { startMs: request.startsAtMs - request.windowMs, endMs: request.endsAtMs + SETTLE_MS }
    const problems: string[] = []
    const orElse = async <T>(what: string, work: Promise<T>, fallback: T): Promise<T> => {
      try {
        return await Promise.race([work, rejectOn(signal)])
      } catch (error) {
        problems.push(`${what}: ${errorMessage(error)}`)
        return fallback
      }
    }
    const target = await orElse(
      'names of the service',
      withKnownNames(deps, request, range, signal),
      evidenceTarget(request.labels),
    )
    const [traces, endpointsEjected, by503Flag] = await Promise.all([
      orElse('traces', findTraces(deps, request, target, range, signal), []),
      orElse('ejections', findEjections(deps, request, target, range, signal), []),
      orElse('503s', count503s(deps, request, target, range, signal), []),
    ])
    return {
      traces,
      endpointsEjected,
      by503Flag,
      links: links(deps.externalUrl, target, range),
      problem: problems.length === 0 ? null : problems.join('; '),
    }
  }
}

interface Range {
  readonly startMs: number
  readonly endMs: number
}

/** A label may name a service without its namespace: callers know which it was. */
async function withKnownNames(
  deps: QueryDeps,
  { tenant, labels }: EvidenceRequest,
  range: Range,
  signal: AbortSignal,
): Promise<EvidenceTarget> {
  const target = evidenceTarget(labels)
  const isBare = target.upstreams.length > 0 && target.upstreams.every((name) => !name.includes('.'))
  if (!isBare) return target
  const found = await findUpstreams(deps, { tenant, ...range, names: target.upstreams, signal })
  return { ...target, upstreams: [...new Set([...found, ...target.upstreams])] }
}

/** The slowest, a failed and a retried trace, each another one where there are several. */
async function findTraces(
  deps: QueryDeps,
  { tenant }: EvidenceRequest,
  target: EvidenceTarget,
  range: Range,
  signal: AbortSignal,
): Promise<EvidenceTrace[]> {
  const questions: readonly (readonly [Why, TraceFilter, 'time' | 'duration'])[] = [
    ['failed', { isError: true }, 'time'],
    ['most-retried', { isRetried: true }, 'time'],
    ['slowest', {}, 'duration'],
  ]
  const answers = await Promise.all(
    questions.map(async ([why, filter, order]) => ({
      why,
      found: await searchTarget(deps, { tenant, filter, order, ...range, signal }, target),
    })),
  )
  const used = new Set<string>()
  const chosen: EvidenceTrace[] = []
  for (const { why, found } of answers) {
    const trace = found.find(({ traceId }) => !used.has(traceId))
    if (trace === undefined) continue
    used.add(trace.traceId)
    chosen.push(evidenceTrace(why, trace, deps.externalUrl))
  }
  return chosen
}

/** A callee may go by several names: the first that has traces counts. */
async function searchTarget(
  deps: QueryDeps,
  request: { tenant: string; filter: TraceFilter; order: 'time' | 'duration'; signal: AbortSignal } & Range,
  target: EvidenceTarget,
): Promise<readonly TraceSummary[]> {
  const places: TraceFilter[] =
    target.upstreams.length > 0
      ? target.upstreams.map((upstream) => ({ upstream }))
      : [target.service === null ? {} : { service: target.service }]
  for (const place of places) {
    const filter = { ...request.filter, ...place }
    const { traces } = await searchTraces(deps, { ...request, filter, limit: 3 })
    if (traces.length > 0) return traces
  }
  return []
}

function evidenceTrace(why: Why, trace: TraceSummary, externalUrl: string | null): EvidenceTrace {
  return {
    traceId: trace.traceId,
    why,
    durationMs: Number(trace.durationNanos) / 1e6,
    service: trace.rootService ?? trace.matched.service,
    operation: trace.rootName ?? trace.matched.name,
    link: externalUrl === null ? null : `${externalUrl}/api/traces/${trace.traceId}`,
  }
}

async function findEjections(
  deps: QueryDeps,
  { tenant }: EvidenceRequest,
  target: EvidenceTarget,
  range: Range,
  signal: AbortSignal,
): Promise<Evidence['endpointsEjected']> {
  const { logs } = await searchLogs(deps, {
    tenant,
    filter: { eventName: 'mesh.outlier.ejected' },
    ...range,
    limit: 100,
    signal,
  })
  const ejected = logs.map(({ attributes, timeUnixNano }) => {
    const text = (key: string): string => {
      const value = attributes.find((attribute) => attribute.key === key)?.value
      if (value === undefined) return ''
      return 'stringValue' in value
        ? (value.stringValue as string)
        : 'intValue' in value
          ? String(value.intValue)
          : ''
    }
    return {
      cluster: text('upstream_cluster'),
      endpoint: text('upstream_address'),
      ejectedAtMs: Number(timeUnixNano / 1_000_000n),
      reason: text('mesh.outlier.type'),
    }
  })
  const wanted = ejected.filter(({ cluster }) => isOfTarget(cluster, target))
  return wanted.slice(0, MAX_EJECTED)
}

function isOfTarget(cluster: string, target: EvidenceTarget): boolean {
  if (target.cluster !== null) return cluster === target.cluster
  return (
    target.upstreams.length === 0 ||
    target.upstreams.some((name) => cluster.split('|').at(-1)?.startsWith(name) === true)
  )
}

async function count503s(
  deps: QueryDeps,
  { tenant }: EvidenceRequest,
  target: EvidenceTarget,
  range: Range,
  signal: AbortSignal,
): Promise<Evidence['by503Flag']> {
  const counts = await readResponseFlags(deps, {
    tenant,
    ...range,
    upstreams: target.upstreams,
    httpStatus: 503,
    signal,
  })
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  return counts.map(({ flags, count }) => ({ flags, count, share: count / total }))
}

function links(externalUrl: string | null, target: EvidenceTarget, range: Range): Evidence['links'] {
  if (externalUrl === null || target.service === null) return []
  const query = new URLSearchParams({
    service: target.service,
    status: 'error',
    start: new Date(range.startMs).toISOString(),
    end: new Date(range.endMs).toISOString(),
  })
  return [
    { title: `Failed traces of ${target.service}`, url: `${externalUrl}/api/traces?${query.toString()}` },
  ]
}

function rejectOn(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(new Error(`not found out within ${TIME_LIMIT_MS / 1000} seconds`))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return promise
}
