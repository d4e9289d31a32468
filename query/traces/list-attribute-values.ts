import { AppError } from '../../runtime/errors.ts'
import type { QueryDeps } from '../query-deps.ts'

/** Which attribute, range and service, for whom. Epoch milliseconds, end exclusive. */
export interface ListAttributeValuesRequest {
  readonly tenant: string
  readonly key: string
  /** Absent: both. */
  readonly level?: 'span' | 'resource' | undefined
  readonly service?: string | undefined
  readonly startMs: number
  readonly endMs: number
  /** Most values to return. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A value of an attribute, as its stored text, with the letter of its kind (see `AttributeKind`). */
export interface AttributeValueSeen {
  readonly value: string
  readonly kind: string
  /** How often it occurs in what was looked at. */
  readonly count: number
}

/**
 * Lists values of an attribute, the most frequent first. Looks at the newest spans of the range only, up to a bound:
 * a suggestion, not a census. Throws what `Storage.select` throws.
 */
export function listAttributeValues(
  _deps: QueryDeps,
  _request: ListAttributeValuesRequest,
): Promise<AttributeValueSeen[]> {
  throw new AppError('INTERNAL', 'Cannot list attribute values: not written yet')
}
