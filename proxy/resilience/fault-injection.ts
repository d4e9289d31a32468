import type { FaultPolicy } from '../policy/proxy-policy.ts'

/** What is done to a request before it is routed: first the delay (flag DI), then the abort (flag FI). */
export interface FaultDecision {
  /** 0: none. */
  readonly delayMs: number
  readonly abort: { readonly status: number; readonly grpcStatus: number | null } | null
}

const NO_FAULT: FaultDecision = { delayMs: 0, abort: null }

/**
 * Dices delay and abort independently, as Envoy's fault filter. It stands before the router: an abort is not retried by this proxy,
 * and the delay does not use up the route's timeout. `random` gives numbers in `[0, 1)`.
 */
export function decideFault(policy: FaultPolicy | null, random: () => number): FaultDecision {
  if (policy === null) return NO_FAULT
  const { delay, abort } = policy
  const delayMs = delay !== null && random() * 100 < delay.percent ? delay.delayMs : 0
  if (abort === null || random() * 100 >= abort.percent) return { delayMs, abort: null }
  return { delayMs, abort: { status: abort.status, grpcStatus: abort.grpcStatus } }
}
