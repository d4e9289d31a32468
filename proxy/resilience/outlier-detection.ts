import type { OutlierPolicy } from '../policy/proxy-policy.ts'
import {
  type EjectionType,
  type EndpointOutlierState,
  MAX_EVIDENCE,
  type OutlierEvent,
  type OutlierEvidence,
  type OutlierTransition,
} from './outlier-state.ts'

/** The cluster around an endpoint: members, and how many of them are ejected (manual ejections count). */
export interface OutlierCluster {
  readonly endpoints: number
  readonly ejected: number
}

/** An endpoint's next state and what happened; the same state object when nothing did. */
export interface OutlierStep {
  readonly state: EndpointOutlierState
  readonly transitions: readonly OutlierTransition[]
}

/**
 * Charges one result to an endpoint and ejects it inline when a run of failures reaches its threshold: Envoy's
 * `DetectorHostMonitorImpl::putHttpResponseCode`, `putResultNoLocalExternalSplit` and `DetectorImpl::ejectHost`. An
 * ejected endpoint goes on counting (answers to requests under way, panic) but nothing follows. `random` gives numbers in `[0, 1)`.
 */
export function recordResult(
  policy: OutlierPolicy,
  state: EndpointOutlierState,
  cluster: OutlierCluster,
  event: OutlierEvent,
  nowMs: number,
  random: () => number,
): OutlierStep {
  if (event.kind === 'connected') return connected(policy, state)
  if (event.kind === 'local-failure' && policy.splitsLocalOrigin) {
    const charged = withFailure(
      { ...state, consecutiveLocalOrigin: state.consecutiveLocalOrigin + 1 },
      evidenceOf(event, nowMs),
    )
    const isDetected = charged.consecutiveLocalOrigin === policy.consecutiveLocalOrigin
    return detect(
      policy,
      charged,
      cluster,
      isDetected ? ['consecutive_local_origin_failure'] : [],
      nowMs,
      random,
    )
  }
  const evidence = evidenceOf(event, nowMs)
  const { status } = evidence
  if (status < 500 || status > 599) return succeeded(state)
  const isGateway = status === 502 || status === 503 || status === 504
  const charged = withFailure(
    {
      ...state,
      consecutive5xx: state.consecutive5xx + 1,
      consecutiveGateway: isGateway ? state.consecutiveGateway + 1 : 0,
    },
    evidence,
  )
  const detected: EjectionType[] = []
  if (isGateway && charged.consecutiveGateway === policy.consecutiveGateway) {
    detected.push('consecutive_gateway_failure')
  }
  if (charged.consecutive5xx === policy.consecutive5xx) detected.push('consecutive_5xx')
  return detect(policy, charged, cluster, detected, nowMs, random)
}

/**
 * The sweep of every `interval` for one endpoint (Envoy's `onIntervalTimer`): an ejected one that has served its time returns with
 * its counters at 0; one that has been in for at least an interval since its last return forgives one step of its back-off.
 */
export function sweepEndpoint(
  policy: OutlierPolicy,
  state: EndpointOutlierState,
  nowMs: number,
): OutlierStep {
  if (state.ejection !== null) {
    return nowMs >= state.ejection.untilMs ? returned(state, 'served', nowMs) : { state, transitions: [] }
  }
  const isForgiven =
    state.backoff > 0 && state.lastReturnMs !== null && nowMs - state.lastReturnMs >= policy.intervalMs
  return { state: isForgiven ? { ...state, backoff: state.backoff - 1 } : state, transitions: [] }
}

/**
 * Ejects by hand: at once, whatever `maxEjectionPercent` says, until `untilMs` or until a person ends it (Infinity). Replaces an ejection in force.
 */
export function ejectManually(
  state: EndpointOutlierState,
  nowMs: number,
  untilMs = Number.POSITIVE_INFINITY,
): OutlierStep {
  const evidence = state.failures
  const ejections = state.ejections + 1
  return {
    state: { ...state, ejections, ejection: { type: 'manual', atMs: nowMs, untilMs, evidence } },
    transitions: [
      { kind: 'ejected', type: 'manual', ejectionMs: untilMs - nowMs, untilMs, ejections, evidence },
    ],
  }
}

/** Lets an ejected endpoint return at once, its counters at 0; nothing happens to one that is in. */
export function returnManually(state: EndpointOutlierState, nowMs: number): OutlierStep {
  return state.ejection === null ? { state, transitions: [] } : returned(state, 'manual', nowMs)
}

function connected(policy: OutlierPolicy, state: EndpointOutlierState): OutlierStep {
  const isReset = policy.splitsLocalOrigin && state.consecutiveLocalOrigin > 0
  return {
    state: isReset ? withoutRun({ ...state, consecutiveLocalOrigin: 0 }) : state,
    transitions: [],
  }
}

function succeeded(state: EndpointOutlierState): OutlierStep {
  if (state.consecutive5xx === 0 && state.consecutiveGateway === 0) return { state, transitions: [] }
  return { state: withoutRun({ ...state, consecutive5xx: 0, consecutiveGateway: 0 }), transitions: [] }
}

function withoutRun(state: EndpointOutlierState): EndpointOutlierState {
  const isRunOver = state.consecutive5xx === 0 && state.consecutiveLocalOrigin === 0
  return isRunOver ? { ...state, failures: [] } : state
}

function withFailure(state: EndpointOutlierState, evidence: OutlierEvidence): EndpointOutlierState {
  return { ...state, failures: [...state.failures, evidence].slice(-MAX_EVIDENCE) }
}

function evidenceOf(event: Exclude<OutlierEvent, { kind: 'connected' }>, atMs: number): OutlierEvidence {
  const { traceId } = event
  if (event.kind === 'response') return { atMs, status: event.status, localOrigin: null, traceId }
  return { atMs, status: event.cause === 'timeout' ? 504 : 503, localOrigin: event.cause, traceId }
}

function detect(
  policy: OutlierPolicy,
  state: EndpointOutlierState,
  cluster: OutlierCluster,
  types: readonly EjectionType[],
  nowMs: number,
  random: () => number,
): OutlierStep {
  const transitions: OutlierTransition[] = []
  for (const type of types) {
    if (state.ejection !== null) break
    const { state: next, transition } = tryEject(policy, state, cluster, type, nowMs, random)
    transitions.push(transition)
    // Whatever came of it, this run has been dealt with; a further ejection takes a new run.
    state = { ...next, ...resetOf(type) }
  }
  return { state, transitions }
}

function resetOf(type: EjectionType): Partial<EndpointOutlierState> {
  if (type === 'consecutive_5xx') return { consecutive5xx: 0 }
  return type === 'consecutive_gateway_failure' ? { consecutiveGateway: 0 } : { consecutiveLocalOrigin: 0 }
}

function tryEject(
  policy: OutlierPolicy,
  state: EndpointOutlierState,
  cluster: OutlierCluster,
  type: EjectionType,
  nowMs: number,
  random: () => number,
): { state: EndpointOutlierState; transition: OutlierTransition } {
  const evidence = state.failures
  const wouldBePercent = (100 * (cluster.ejected + 1)) / cluster.endpoints
  const maxPercent = Math.min(100, policy.maxEjectionPercent)
  if (wouldBePercent > maxPercent) {
    return { state, transition: { kind: 'overflow', type, wouldBePercent, maxPercent, evidence } }
  }
  if (random() * 100 >= enforcing(policy, type)) {
    return { state, transition: { kind: 'unenforced', type, evidence } }
  }
  const jitterMs = Math.floor(random() * (policy.maxEjectionJitterMs + 1))
  // The multiplier stops growing once the ejection time has reached its maximum.
  const isGrowing = state.backoff * policy.baseEjectionMs < policy.maxEjectionMs + policy.baseEjectionMs
  const backoff = state.backoff + (isGrowing ? 1 : 0)
  const ejectionMs = Math.min(policy.baseEjectionMs * backoff, policy.maxEjectionMs) + jitterMs
  const untilMs = nowMs + ejectionMs
  const ejections = state.ejections + 1
  return {
    state: { ...state, backoff, ejections, ejection: { type, atMs: nowMs, untilMs, evidence } },
    transition: { kind: 'ejected', type, ejectionMs, untilMs, ejections, evidence },
  }
}

function enforcing(policy: OutlierPolicy, type: EjectionType): number {
  if (type === 'consecutive_5xx') return policy.enforcing5xx
  return type === 'consecutive_gateway_failure' ? policy.enforcingGateway : policy.enforcingLocalOrigin
}

function returned(state: EndpointOutlierState, cause: 'served' | 'manual', nowMs: number): OutlierStep {
  if (state.ejection === null) return { state, transitions: [] }
  const { type, atMs } = state.ejection
  return {
    state: {
      ...state,
      consecutive5xx: 0,
      consecutiveGateway: 0,
      consecutiveLocalOrigin: 0,
      ejection: null,
      lastReturnMs: nowMs,
      failures: [],
    },
    transitions: [{ kind: 'returned', cause, type, ejectedMs: nowMs - atMs, ejections: state.ejections }],
  }
}
