import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'

/** Where an attribute stands. */
export type AttributeLevel = 'span' | 'resource' | 'scope' | 'log' | 'metric'

/** Which days and levels, for whom. Epoch milliseconds; widened to whole days (UTC). */
export interface ListAttributeKeysRequest {
  readonly tenant: string
  /** Absent: span and resource. */
  readonly levels?: readonly AttributeLevel[] | undefined
  readonly startMs: number
  readonly endMs: number
  readonly signal?: AbortSignal | undefined
}

/** An attribute key that occurs, with the letters of its kinds (see `AttributeKind`). */
export interface AttributeKeySeen {
  readonly key: string
  readonly level: AttributeLevel
  readonly kinds: readonly string[]
}

/** Lists attribute keys by level and key. Throws what `Storage.select` throws. */
export function listAttributeKeys(
  _deps: QueryDeps,
  _request: ListAttributeKeysRequest,
): Promise<AttributeKeySeen[]> {
  throw new AppError('INTERNAL', 'Cannot list attribute keys: not written yet')
}
