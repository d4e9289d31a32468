import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'

/** Which range, for whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ReadDependenciesRequest {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** Calls from one service to another, as the caller's client spans tell. */
export interface Dependency {
  readonly parent: string
  readonly child: string
  readonly callCount: number
  readonly errorCount: number
}

/** Who called whom in the range, by parent and child. Throws what `Storage.select` throws. */
export function readDependencies(_deps: QueryDeps, _request: ReadDependenciesRequest): Promise<Dependency[]> {
  throw new AppError('INTERNAL', 'Cannot read dependencies: not written yet')
}
