import type { OutlierPolicy } from '../../policy/proxy-policy.ts'

/** One thing that happens in a history. Times are offsets to the step before; `die` is what every dice of the step shows. */
export type HistoryStep = { readonly afterMs: number; readonly die: number } & (
  | { readonly kind: 'response'; readonly host: number; readonly status: number }
  | { readonly kind: 'local'; readonly host: number; readonly cause: 'timeout' | 'connect-failure' | 'reset' }
  | { readonly kind: 'connected'; readonly host: number }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'manual-eject'; readonly host: number }
  | { readonly kind: 'manual-return'; readonly host: number }
)

type Mark = 'gateway' | 'other5xx' | 'ok' | 'local' | 'connected' | 'reset5xx' | 'resetGateway' | 'resetLocal'

/** What the model says after a step. */
export interface ModelView {
  readonly ejected: readonly boolean[]
  readonly untilMs: readonly (number | null)[]
  /** `kind type host` of everything that happened in the step. */
  readonly told: readonly string[]
}

/**
 * Envoy's outlier detection, written down once more and in another way, to judge the real one: it keeps the whole log of each
 * host and counts runs by reading it backwards.
 */
export function createNaiveModel(policy: OutlierPolicy, hosts: number): (step: HistoryStep) => ModelView {
  const logs: Mark[][] = Array.from({ length: hosts }, () => [])
  const outSince: (number | null)[] = Array.from({ length: hosts }, () => null)
  const outBy: string[] = Array.from({ length: hosts }, () => '')
  const jitter: number[] = Array.from({ length: hosts }, () => 0)
  const multiplier: number[] = Array.from({ length: hosts }, () => 0)
  const backSince: (number | null)[] = Array.from({ length: hosts }, () => null)
  let now = 0

  const run = (host: number, counts: Mark[], stops: Mark[]): number => {
    let length = 0
    for (const mark of (logs[host] ?? []).toReversed()) {
      if (stops.includes(mark)) break
      if (counts.includes(mark)) length += 1
    }
    return length
  }
  const length = (host: number): number =>
    Math.min((multiplier[host] ?? 0) * policy.baseEjectionMs, policy.maxEjectionMs) + (jitter[host] ?? 0)
  const bringBack = (host: number): void => {
    logs[host] = []
    outSince[host] = null
    backSince[host] = now
  }
  const suspect = (host: number, type: string, enforcing: number, die: number, told: string[]): void => {
    if (outSince[host] !== null) return
    const out = outSince.filter((since) => since !== null).length
    if ((100 * (out + 1)) / hosts > policy.maxEjectionPercent) told.push(`overflow ${type} ${host}`)
    else if (die * 100 < enforcing) {
      told.push(`ejected ${type} ${host}`)
      outSince[host] = now
      outBy[host] = type
      jitter[host] = Math.floor(die * (policy.maxEjectionJitterMs + 1))
      const times = multiplier[host] ?? 0
      if (times * policy.baseEjectionMs < policy.maxEjectionMs + policy.baseEjectionMs)
        multiplier[host] = times + 1
    } else told.push(`unenforced ${type} ${host}`)
    const resets: Record<string, Mark> = {
      consecutive_5xx: 'reset5xx',
      consecutive_gateway_failure: 'resetGateway',
      consecutive_local_origin_failure: 'resetLocal',
    }
    logs[host]?.push(resets[type] ?? 'ok')
  }
  const judge = (host: number, mark: Mark, die: number, told: string[]): void => {
    logs[host]?.push(mark)
    if (mark === 'gateway') {
      const gateway = run(host, ['gateway'], ['ok', 'other5xx', 'resetGateway'])
      const any = run(host, ['gateway', 'other5xx'], ['ok', 'reset5xx'])
      if (gateway === policy.consecutiveGateway) {
        suspect(host, 'consecutive_gateway_failure', policy.enforcingGateway, die, told)
      }
      if (any === policy.consecutive5xx) suspect(host, 'consecutive_5xx', policy.enforcing5xx, die, told)
    }
    if (
      mark === 'other5xx' &&
      run(host, ['gateway', 'other5xx'], ['ok', 'reset5xx']) === policy.consecutive5xx
    ) {
      suspect(host, 'consecutive_5xx', policy.enforcing5xx, die, told)
    }
    if (
      mark === 'local' &&
      run(host, ['local'], ['connected', 'resetLocal']) === policy.consecutiveLocalOrigin
    ) {
      suspect(host, 'consecutive_local_origin_failure', policy.enforcingLocalOrigin, die, told)
    }
  }

  return (step) => {
    now += step.afterMs
    const told: string[] = []
    if (step.kind === 'response') {
      const isGateway = step.status === 502 || step.status === 503 || step.status === 504
      const isError = step.status >= 500 && step.status < 600
      judge(step.host, isGateway ? 'gateway' : isError ? 'other5xx' : 'ok', step.die, told)
    }
    // 503 and 504 are both gateway errors, so without the split the cause makes no difference.
    if (step.kind === 'local')
      judge(step.host, policy.splitsLocalOrigin ? 'local' : 'gateway', step.die, told)
    if (step.kind === 'connected') logs[step.host]?.push('connected')
    if (step.kind === 'manual-eject') {
      told.push(`ejected manual ${step.host}`)
      outSince[step.host] = now
      outBy[step.host] = 'manual'
    }
    if (step.kind === 'manual-return' && outSince[step.host] !== null) {
      told.push(`returned ${outBy[step.host]} ${step.host}`)
      bringBack(step.host)
    }
    if (step.kind === 'sweep') {
      for (let host = 0; host < hosts; host += 1) {
        const since = outSince[host] ?? null
        if (since !== null && outBy[host] !== 'manual' && now - since >= length(host)) {
          told.push(`returned ${outBy[host]} ${host}`)
          bringBack(host)
        }
        const back = backSince[host] ?? null
        if (outSince[host] === null && back !== null && now - back >= policy.intervalMs) {
          multiplier[host] = Math.max(0, (multiplier[host] ?? 0) - 1)
        }
      }
    }
    const untilMs = outSince.map((since, host) => {
      if (since === null) return null
      return outBy[host] === 'manual' ? Number.POSITIVE_INFINITY : since + length(host)
    })
    return { ejected: outSince.map((since) => since !== null), untilMs, told }
  }
}
