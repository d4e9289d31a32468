import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'

/** Which range, for whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ListServicesRequest {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** A service that sent spans. */
export interface ServiceSeen {
  readonly service: string
  readonly spanCount: number
  readonly errorCount: number
}

/** Lists the services whose spans started in the range, by name. Throws what `Storage.select` throws. */
export function listServices(_deps: QueryDeps, _request: ListServicesRequest): Promise<ServiceSeen[]> {
  throw new AppError('INTERNAL', 'Cannot list services: not written yet')
}
