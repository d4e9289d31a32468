import type { SpanKind } from '../../model/span.ts'
import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'

/** Which range and service, for whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ListOperationsRequest {
  readonly tenant: string
  readonly service: string
  readonly kind?: SpanKind | undefined
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** A span name of a service, with the kinds it occurs in. */
export interface OperationSeen {
  readonly name: string
  readonly kinds: readonly SpanKind[]
  readonly spanCount: number
  readonly errorCount: number
}

/** Lists the span names of a service in the range, by name. Throws what `Storage.select` throws. */
export function listOperations(_deps: QueryDeps, _request: ListOperationsRequest): Promise<OperationSeen[]> {
  throw new AppError('INTERNAL', 'Cannot list operations: not written yet')
}
