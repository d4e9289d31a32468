import type { BalancerPolicy, EndpointPolicy } from '../policy/proxy-policy.ts'

/** An endpoint as the balancer sees it at the moment of choice. */
export interface BalancedEndpoint extends Pick<EndpointPolicy, 'address' | 'weight'> {
  /** Neither ejected nor known to be unready. */
  readonly isHealthy: boolean
  readonly activeRequests: number
}

/** What the balancer of one cluster remembers; {@link initialBalancerState} at the start. */
export interface BalancerState {
  /** Turns taken, for equal weights. */
  readonly turn: number
  /** Weighted choice by earliest deadline: the deadline reached, and each endpoint's next one. */
  readonly time: number
  readonly deadlines: ReadonlyMap<string, number>
}

/** A choice; `endpoint` null: nobody can be chosen, 503 with flag UH. */
export interface BalancerPick {
  readonly endpoint: BalancedEndpoint | null
  /** The panic threshold was crossed: health was ignored (`lb_healthy_panic`). */
  readonly isPanic: boolean
  /** Choices thrown away because the endpoint had been tried already. */
  readonly reselections: number
  readonly state: BalancerState
}

/** How a choice is made. */
export interface BalancerRules extends BalancerPolicy {
  readonly panicThresholdPercent: number
}

/** Envoy's `host_selection_retry_max_attempts` as Istio sets it. */
export const MAX_RESELECTIONS = 5

/** The state of a balancer that has not chosen yet; `seed` decides where round robin begins. */
export function initialBalancerState(seed: number): BalancerState {
  return { turn: seed, time: 0, deadlines: new Map() }
}

/**
 * Whether health is to be ignored: Envoy's `recalculatePerPriorityPanic` with one priority. Never while the healthy share times 1.4 reaches 100 %, so
 * a threshold above 71 % acts as 71 %; threshold 0 is never.
 */
export function isPanicking(healthy: number, total: number, thresholdPercent: number): boolean {
  if (total === 0) return false
  const availability = Math.min(100, Math.floor((140 * healthy) / total))
  return availability < 100 && (100 * healthy) / total < thresholdPercent
}

/**
 * Chooses an endpoint among the healthy ones, or among all in panic. Endpoints in `avoid` (those already tried by this request) are chosen again only
 * after {@link MAX_RESELECTIONS} further choices; then the last choice stands, as with Envoy's previous-hosts predicate. `random` gives numbers in `[0, 1)`.
 */
export function pickEndpoint(
  rules: BalancerRules,
  endpoints: readonly BalancedEndpoint[],
  state: BalancerState,
  avoid: ReadonlySet<string>,
  random: () => number,
): BalancerPick {
  const healthy = endpoints.filter((endpoint) => endpoint.isHealthy)
  const isPanic = isPanicking(healthy.length, endpoints.length, rules.panicThresholdPercent)
  const candidates = isPanic ? endpoints : healthy
  let reselections = 0
  for (;;) {
    const choice = pickOnce(rules, candidates, state, random)
    state = choice.state
    const isTried = choice.endpoint !== null && avoid.has(choice.endpoint.address)
    if (!isTried || reselections === MAX_RESELECTIONS) {
      return { endpoint: choice.endpoint, isPanic, reselections, state }
    }
    reselections += 1
  }
}

interface Choice {
  readonly endpoint: BalancedEndpoint | null
  readonly state: BalancerState
}

function pickOnce(
  rules: BalancerRules,
  candidates: readonly BalancedEndpoint[],
  state: BalancerState,
  random: () => number,
): Choice {
  const [first] = candidates
  if (first === undefined) return { endpoint: null, state }
  const isEqual = candidates.every((endpoint) => endpoint.weight === first.weight)
  if (rules.kind === 'random') return { endpoint: randomOf(candidates, random), state }
  if (rules.kind === 'least-request' && isEqual) {
    return { endpoint: fewerActive(candidates, random), state }
  }
  if (isEqual) {
    return {
      endpoint: candidates[state.turn % candidates.length] ?? null,
      state: { ...state, turn: state.turn + 1 },
    }
  }
  const isLeastRequest = rules.kind === 'least-request'
  return earliestDeadline(candidates, state, (endpoint) =>
    isLeastRequest ? endpoint.weight / (endpoint.activeRequests + 1) : endpoint.weight,
  )
}

function randomOf(candidates: readonly BalancedEndpoint[], random: () => number): BalancedEndpoint | null {
  // Envoy's RANDOM knows no weights.
  return candidates[Math.floor(random() * candidates.length)] ?? null
}

/** Two dice, and the one with fewer active requests; the first of two equals. */
function fewerActive(candidates: readonly BalancedEndpoint[], random: () => number): BalancedEndpoint | null {
  const one = randomOf(candidates, random)
  const other = randomOf(candidates, random)
  if (one === null || other === null) return one
  return other.activeRequests < one.activeRequests ? other : one
}

function earliestDeadline(
  candidates: readonly BalancedEndpoint[],
  state: BalancerState,
  weightOf: (endpoint: BalancedEndpoint) => number,
): Choice {
  let chosen: BalancedEndpoint | null = null
  let earliest = Number.POSITIVE_INFINITY
  const deadlines = new Map<string, number>()
  for (const endpoint of candidates) {
    // One that was away starts anew: it must not get all the turns that it missed.
    const known = state.deadlines.get(endpoint.address)
    const deadline = known === undefined ? state.time + 1 / weightOf(endpoint) : known
    deadlines.set(endpoint.address, deadline)
    if (deadline < earliest) {
      earliest = deadline
      chosen = endpoint
    }
  }
  if (chosen !== null) deadlines.set(chosen.address, earliest + 1 / weightOf(chosen))
  return { endpoint: chosen, state: { ...state, time: earliest, deadlines } }
}
