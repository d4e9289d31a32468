import type { AlertingState } from './alerting-state.ts'

/**
 * Makes a state that was read from the log fit to go on with: alerts that fired are believed for a while, until their
 * rules have spoken again, so that a restart ends nothing.
 */
export function prepareRestart(state: AlertingState, nowMs: number, resolveTimeoutMs: number): void {
  for (const [key, alert] of state.alerts) {
    const wasResolved = alert.endsAtMs <= alert.updatedAtMs
    if (!wasResolved && alert.endsAtMs < nowMs + resolveTimeoutMs) {
      state.alerts.set(key, { ...alert, endsAtMs: nowMs + resolveTimeoutMs })
    }
  }
}
