import type { FloatHistogram } from '../../model/float-histogram.ts'
import type { Labels } from '../../model/labels.ts'
import type { QueryEngine } from '../../query/promql/query-engine.ts'
import type { SeriesOverlay } from '../../query/promql/series-source.ts'

/** One element of a rule's result. */
export interface RuleSample {
  readonly labels: Labels
  readonly value: number
  /** The element is this native histogram, and `value` means nothing. */
  readonly histogram?: FloatHistogram
}

/** Asks a query whose answer is a vector, at one moment. */
export type QueryVector = (expr: string) => Promise<readonly RuleSample[]>

/** What {@link queryVectorAt} asks with. */
export interface QueryVectorOptions {
  readonly engine: QueryEngine
  readonly tenant: string
  /** Epoch milliseconds. */
  readonly timeMs: number
  readonly overlay?: SeriesOverlay
  readonly signal?: AbortSignal
}

/**
 * Makes the question a rule asks at its time: a scalar counts as one element without labels. Throws what the engine throws, and
 * Error `rule result is not a vector or scalar`.
 */
export function queryVectorAt(options: QueryVectorOptions): QueryVector {
  const { engine, tenant, timeMs, overlay, signal } = options
  return async (expr) => {
    const result = await engine.instant({
      tenant,
      expr,
      timeMs,
      ...(overlay === undefined ? {} : { overlay }),
      ...(signal === undefined ? {} : { signal }),
    })
    if (result.type === 'vector') return result.vector
    if (result.type === 'scalar') return [{ labels: [], value: result.value }]
    throw new Error('rule result is not a vector or scalar')
  }
}
