import { errorMessage } from '../runtime/errors.ts'

/** The state of one thing that the server needs. */
export interface DependencyState {
  readonly isReady: boolean
  /** Why not; absent when ready. */
  readonly reason?: string | undefined
  readonly [fact: string]: unknown
}

/** Asks one dependency. What it throws means not ready. */
export type ReadinessCheck = () => Promise<DependencyState> | DependencyState

/** What `/readyz` answers. */
export interface Readiness {
  readonly isReady: boolean
  readonly dependencies: Readonly<Record<string, DependencyState>>
}

/** Asks all dependencies at once. Ready when each is. */
export async function readReadiness(checks: Readonly<Record<string, ReadinessCheck>>): Promise<Readiness> {
  const states = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<readonly [string, DependencyState]> => {
      try {
        return [name, await check()]
      } catch (error) {
        return [name, { isReady: false, reason: errorMessage(error) }]
      }
    }),
  )
  return { isReady: states.every(([, state]) => state.isReady), dependencies: Object.fromEntries(states) }
}
