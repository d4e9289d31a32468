import type { ConnectionPoolPolicy, RetryBudgetPolicy } from '../policy/proxy-policy.ts'

/**
 * How many retries may run at the same time. With a budget: `max(minRetries, floor(percent/100 × (active + pending)))` and
 * `maxRetries` does not count; without: `maxRetries` (Envoy's `RetryBudgetImpl` and `ResourceManagerImpl::retries`).
 */
export function retryLimit(
  pool: Pick<ConnectionPoolPolicy, 'maxRetries'>,
  budget: RetryBudgetPolicy | null,
  load: { readonly activeRequests: number; readonly pendingRequests: number },
): number {
  if (budget === null) return pool.maxRetries
  const share = Math.floor((budget.percent / 100) * (load.activeRequests + load.pendingRequests))
  return Math.max(budget.minRetries, share)
}
