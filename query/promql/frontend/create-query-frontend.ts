import { availableParallelism } from 'node:os'
import type { Clock } from '../../../runtime/clock.ts'
import { FEW_CORES } from '../../../runtime/few-cores.ts'
import type { InstantQuery, QueryEngine, QueryResult, RangeQuery } from '../query-engine.ts'
import { answerRange } from './answer-range.ts'
import { startDeadline } from './query-bounds.ts'
import { type QueryReport, traceFor } from './query-report.ts'
import type { RangeCache } from './range-cache.ts'
import { createRunQueue, type RunQueue } from './run-queue.ts'
import { createSharedRuns, type Turn } from './share-runs.ts'

/** What a client may say of a query beside the query. */
export interface FrontendExtras {
  /** Shorter than the configured time, milliseconds. */
  readonly timeoutMs?: number
  /** Is told how the query was answered. */
  readonly report?: QueryReport
}

/**
 * An engine behind bounds, for those who ask over the network: queries wait for their turn, end when their time is up (QUERY_TIMEOUT) or their client goes (CANCELLED);
 * ranges are answered in parts, and from memory where that still holds. Else it answers and throws as the engine does.
 */
export interface QueryFrontend extends QueryEngine {
  instant(query: InstantQuery & FrontendExtras): Promise<QueryResult>
  range(query: RangeQuery & FrontendExtras): Promise<QueryResult>
}

/** What a frontend is made from. */
export interface QueryFrontendOptions {
  readonly engine: QueryEngine
  readonly clock: Clock
  /** Longest time of a query, waiting included, milliseconds. */
  readonly timeoutMs: number
  /** Evaluations at the same time; further ones wait. */
  readonly concurrency: number
  /** Parts of one query at the same time; default: one on few cores, else two. */
  readonly partsAtOnce?: number
  /** Points that an answer may have. */
  readonly maxSamples: number
  /** Null: nothing is remembered. */
  readonly cache: RangeCache | null
  /** As the engine has it, for queries that do not say; default 5 minutes. */
  readonly lookbackMs?: number
  /** As the engine has it; default 1 minute. */
  readonly defaultStepMs?: number
}

/** What the parts of one query share. */
export interface FrontendRun {
  readonly engine: QueryEngine
  readonly queue: RunQueue
  readonly clock: Clock
  readonly cache: RangeCache | null
  /** Parts of one query that are computed at the same time: others want to be answered too. */
  readonly partsAtOnce: number
  readonly maxSamples: number
  readonly lookbackMs: number
  readonly defaultStepMs: number
}

/** On few cores a second part would only hold more samples in memory. */
const PARTS_AT_ONCE = availableParallelism() <= FEW_CORES ? 1 : 2
/** So many queries may wait for each one that runs. */
const WAITING_EACH = 64
const LOOKBACK_MS = 300_000
const DEFAULT_STEP_MS = 60_000

/** Puts an engine behind bounds. */
export function createQueryFrontend(options: QueryFrontendOptions): QueryFrontend {
  const { engine, clock, concurrency, cache } = options
  const queue = createRunQueue(concurrency, WAITING_EACH * concurrency)
  const run: FrontendRun = {
    engine,
    queue,
    clock,
    cache,
    partsAtOnce: Math.max(1, Math.min(options.partsAtOnce ?? PARTS_AT_ONCE, Math.ceil(concurrency / 2))),
    maxSamples: options.maxSamples,
    lookbackMs: options.lookbackMs ?? LOOKBACK_MS,
    defaultStepMs: options.defaultStepMs ?? DEFAULT_STEP_MS,
  }
  const shared = createSharedRuns<QueryResult>()

  /** Within the query's time; at once for all who ask the same, unless they want to see how. */
  const bounded = async (
    query: (InstantQuery | RangeQuery) & FrontendExtras,
    key: readonly (number | string)[],
    answer: (turn: Turn) => Promise<QueryResult>,
  ): Promise<QueryResult> => {
    const deadline = startDeadline(Math.min(options.timeoutMs, query.timeoutMs ?? Infinity), query.signal)
    try {
      if (query.report !== undefined || query.overlay !== undefined) {
        return await answer({ signal: deadline.signal, begin: () => undefined })
      }
      // Not with those who asked before something came that may change the answer.
      const generation = cache?.now().generation ?? 0
      const text = JSON.stringify([query.tenant, query.expr, query.lookbackMs ?? null, generation, ...key])
      return await shared.run(text, deadline.signal, answer)
    } catch (error) {
      throw deadline.explain(error)
    } finally {
      deadline.clear()
    }
  }

  return {
    instant: (query) => bounded(query, ['instant', query.timeMs], (turn) => answerInstant(run, query, turn)),
    range: (query) =>
      bounded(query, ['range', query.startMs, query.endMs, query.stepMs], (turn) =>
        answerRange(run, query, turn),
      ),
  }
}

async function answerInstant(
  { engine, queue, clock }: FrontendRun,
  { timeoutMs, report, ...query }: InstantQuery & FrontendExtras,
  { signal, begin }: Turn,
): Promise<QueryResult> {
  const askedAt = clock.monotonic()
  return queue.run(async () => {
    begin()
    const startedAt = clock.monotonic()
    const trace = traceFor(report)
    const result = await engine.instant({ ...query, signal, ...(trace === null ? {} : { trace }) })
    report?.add({
      startMs: query.timeMs,
      endMs: query.timeMs,
      from: 'engine',
      queuedMs: startedAt - askedAt,
      ms: clock.monotonic() - startedAt,
      trace,
    })
    return result
  }, signal)
}
