import type { OutlierEvidence, OutlierTransition } from '../resilience/outlier-state.ts'
import type { EventRecord } from './telemetry-record.ts'

/** Where something happened. */
export interface EventPlace {
  readonly cluster: string
  /** Of the service: `payments.shop.svc.cluster.local`. */
  readonly host: string
  readonly endpoint: string
}

/** A breaker of a cluster, by the name of its limit. */
export type BreakerName = 'max_connections' | 'max_pending_requests' | 'max_requests' | 'max_retries'

/** The event of a transition: `mesh.outlier.ejected`, `.returned`, `.unenforced` or `.overflow`. */
export function outlierEvent(place: EventPlace, transition: OutlierTransition, atMs: number): EventRecord {
  const base = { ...placeAttributes(place), 'mesh.outlier.type': transition.type }
  const who = `${place.endpoint} of ${place.cluster}`
  switch (transition.kind) {
    case 'ejected': {
      const forever = transition.untilMs === Number.POSITIVE_INFINITY
      const length = forever ? 'until it is let in by hand' : `for ${transition.ejectionMs} ms`
      return {
        name: 'mesh.outlier.ejected',
        atMs,
        severity: 'warn',
        body: `${who} is ejected ${length}: ${because(transition.type, transition.evidence)}`,
        traceId: lastTrace(transition.evidence),
        attributes: {
          ...base,
          'mesh.outlier.ejection_ms': forever ? undefined : transition.ejectionMs,
          'mesh.outlier.until': forever ? undefined : new Date(transition.untilMs).toISOString(),
          'mesh.outlier.ejections': transition.ejections,
          ...evidenceAttributes(transition.evidence),
        },
      }
    }
    case 'returned':
      return {
        name: 'mesh.outlier.returned',
        atMs,
        severity: 'info',
        body: `${who} is back after ${transition.ejectedMs} ms${transition.cause === 'manual' ? ', by hand' : ''}`,
        traceId: '',
        attributes: {
          ...base,
          'mesh.outlier.cause': transition.cause,
          'mesh.outlier.ejected_ms': transition.ejectedMs,
          'mesh.outlier.ejections': transition.ejections,
        },
      }
    case 'overflow':
      return {
        name: 'mesh.outlier.overflow',
        atMs,
        severity: 'warn',
        body: `${who} stays although it fails: ejecting it would put ${Math.round(transition.wouldBePercent)} % out, maxEjectionPercent is ${transition.maxPercent}`,
        traceId: lastTrace(transition.evidence),
        attributes: {
          ...base,
          'mesh.outlier.would_be_percent': transition.wouldBePercent,
          'mesh.outlier.max_percent': transition.maxPercent,
          ...evidenceAttributes(transition.evidence),
        },
      }
    case 'unenforced':
      return {
        name: 'mesh.outlier.unenforced',
        atMs,
        severity: 'info',
        body: `${who} would be ejected if the detector were enforced: ${because(transition.type, transition.evidence)}`,
        traceId: lastTrace(transition.evidence),
        attributes: { ...base, ...evidenceAttributes(transition.evidence) },
      }
  }
}

/** `mesh.breaker.opened`: the first request that a breaker of the cluster turned away. */
export function breakerOpenedEvent(
  place: Omit<EventPlace, 'endpoint'>,
  breaker: BreakerName,
  limit: number,
  atMs: number,
  traceId: string,
): EventRecord {
  return {
    name: 'mesh.breaker.opened',
    atMs,
    severity: 'warn',
    body: `${breaker} of ${place.cluster} turns requests away: ${limit} are in use`,
    traceId,
    attributes: { ...placeAttributes(place), 'mesh.breaker.limit': breaker, 'mesh.breaker.maximum': limit },
  }
}

/** `mesh.breaker.closed`: a while without a request turned away. */
export function breakerClosedEvent(
  place: Omit<EventPlace, 'endpoint'>,
  breaker: BreakerName,
  spell: { readonly openMs: number; readonly rejected: number },
  atMs: number,
): EventRecord {
  return {
    name: 'mesh.breaker.closed',
    atMs,
    severity: 'info',
    body: `${breaker} of ${place.cluster} turned ${spell.rejected} requests away in ${Math.round(spell.openMs)} ms, and none since`,
    traceId: '',
    attributes: {
      ...placeAttributes(place),
      'mesh.breaker.limit': breaker,
      'mesh.breaker.open_ms': Math.round(spell.openMs),
      'mesh.breaker.rejected': spell.rejected,
    },
  }
}

function placeAttributes(place: Omit<EventPlace, 'endpoint'> & { readonly endpoint?: string }) {
  return {
    upstream_cluster: place.cluster,
    upstream_address: place.endpoint,
    'server.address': place.host,
  }
}

function evidenceAttributes(evidence: readonly OutlierEvidence[]) {
  return {
    'mesh.outlier.evidence.statuses': evidence.map(({ status, localOrigin }) =>
      localOrigin === null ? String(status) : `${status} ${localOrigin}`,
    ),
    'mesh.outlier.evidence.trace_ids': evidence.map(({ traceId }) => traceId),
  }
}

function because(type: string, evidence: readonly OutlierEvidence[]): string {
  if (type === 'manual') return 'by hand'
  const said = evidence.map(({ status, localOrigin }) => (localOrigin === null ? status : localOrigin))
  return `${type.replaceAll('_', ' ')} (${said.join(', ')})`
}

function lastTrace(evidence: readonly OutlierEvidence[]): string {
  return evidence.findLast(({ traceId }) => traceId !== '')?.traceId ?? ''
}
