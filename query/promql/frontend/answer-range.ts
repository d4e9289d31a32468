import { AppError } from '../../../runtime/errors.ts'
import { type Expr, typeOf } from '../ast.ts'
import { inTurns } from '../in-turns.ts'
import { parseExpression } from '../parse-expression.ts'
import { printExpression } from '../print-expression.ts'
import type { QueryResult, RangeQuery } from '../query-engine.ts'
import { resolveContext } from '../resolve-context.ts'
import { resolveDurations } from '../resolve-durations.ts'
import { resolveInfo } from '../resolve-info.ts'
import { tooManySamples } from '../too-many-samples.ts'
import type { FrontendExtras, FrontendRun } from './create-query-frontend.ts'
import { joinPieces, type Piece, slicePiece } from './join-pieces.ts'
import { needsWholeRange, type QueryReach, reachOf } from './query-reach.ts'
import { type QueryReport, traceFor } from './query-report.ts'
import type { CacheQuestion } from './range-cache.ts'
import type { Turn } from './share-runs.ts'
import { type Moments, planSplits, type RangePart, type Splits, splitRange } from './split-range.ts'

type Asked = Omit<RangeQuery, 'signal' | 'trace'>

/**
 * Answers a range query: split along time where each moment can be answered on its own; what is remembered of a part is not computed again. When a part fails,
 * the others are given up.
 */
export async function answerRange(
  run: FrontendRun,
  { timeoutMs, report, signal: _, trace: __, ...query }: RangeQuery & FrontendExtras,
  turn: Turn,
): Promise<QueryResult> {
  const parsed = parseExpression(query.expr)
  const type = typeOf(parsed)
  const isWhole = query.overlay !== undefined || (type !== 'scalar' && type !== 'vector')
  if (isWhole || query.endMs < query.startMs) return (await compute(run, query, query, turn, report)).result
  const reach = reachOfQuery(run, query, parsed)
  const isBound = needsWholeRange(parsed)
  const splits = planSplits(query.stepMs, reach.windowMs)
  if (isBound) report?.note('not split: the query asks for its own start, end or range')
  // Its own end, also where no moment of its grid falls on it.
  const parts = isBound ? [{ ...query, split: 0 }] : splitRange(query, splits)
  const giveUp = new AbortController()
  const any: Turn = { ...turn, signal: AbortSignal.any([turn.signal, giveUp.signal]) }
  try {
    let points = 0
    const pieces = await inTurns(parts, run.partsAtOnce, async (part) => {
      const question = questionOf(run, query, { parsed, reach, isBound, splits }, part)
      const piece = await answerPart(run, query, question, part, any, report)
      for (const { timestamps } of piece.result.matrix) points += timestamps.length
      // The engine bounds each part, not all of them together.
      if (points > run.maxSamples) throw tooManySamples()
      return piece
    })
    return joinPieces(pieces)
  } catch (error) {
    giveUp.abort()
    throw error
  }
}

function reachOfQuery(run: FrontendRun, query: Asked, parsed: Expr): QueryReach {
  const { stepMs, startMs, endMs } = query
  const timed = resolveDurations(query.expr, parsed, { stepMs, rangeMs: endMs - startMs })
  return reachOf(resolveInfo(resolveContext(timed, { startMs, endMs, stepMs })), {
    lookbackMs: query.lookbackMs ?? run.lookbackMs,
    defaultStepMs: run.defaultStepMs,
  })
}

interface Known {
  readonly parsed: Expr
  readonly reach: QueryReach
  /** To the query's own range. */
  readonly isBound: boolean
  readonly splits: Splits
}

function questionOf(run: FrontendRun, query: Asked, known: Known, part: RangePart): CacheQuestion {
  const { tenant, expr, stepMs } = query
  const { parsed, reach, isBound } = known
  const lookbackMs = query.lookbackMs ?? run.lookbackMs
  const phaseMs = ((part.startMs % stepMs) + stepMs) % stepMs
  const split = isBound ? [part.startMs, part.endMs] : [phaseMs, known.splits.lengthMs, part.split]
  const key = JSON.stringify([tenant, printExpression(parsed), stepMs, lookbackMs, isBound, ...split])
  return { key, tenant, text: expr, stepMs, lookbackMs, reach, isBound }
}

async function answerPart(
  run: FrontendRun,
  query: Asked,
  question: CacheQuestion,
  part: Moments,
  turn: Turn,
  report: QueryReport | undefined,
): Promise<Piece> {
  const { cache } = run
  if (cache === null) return compute(run, query, part, turn, report)
  const state = cache.now()
  const found = cache.find(question)
  const { stepMs } = query
  const isNear =
    found !== null && part.startMs <= found.endMs + stepMs && part.endMs >= found.startMs - stepMs
  if (found === null || !isNear || (question.isBound && !covers(found, part))) {
    const piece = await compute(run, query, part, turn, report)
    cache.put(question, piece, state)
    return piece
  }
  const startedAt = run.clock.monotonic()
  if (covers(found, part)) {
    const piece = slicePiece(found, part.startMs, part.endMs)
    report?.add({
      ...momentsOf(piece),
      from: 'cache',
      queuedMs: 0,
      ms: run.clock.monotonic() - startedAt,
      trace: null,
    })
    return piece
  }
  const isMissing = [part.startMs < found.startMs, part.endMs > found.endMs]
  report?.add({
    ...momentsOf(found),
    from: 'cache',
    queuedMs: 0,
    ms: run.clock.monotonic() - startedAt,
    trace: null,
  })
  const ends = await Promise.all([
    isMissing[0]
      ? compute(run, query, { startMs: part.startMs, endMs: found.startMs - stepMs }, turn, report)
      : null,
    isMissing[1]
      ? compute(run, query, { startMs: found.endMs + stepMs, endMs: part.endMs }, turn, report)
      : null,
  ])
  const pieces = [ends[0], found, ends[1]].filter((piece) => piece !== null)
  const all: Piece = {
    startMs: Math.min(part.startMs, found.startMs),
    endMs: Math.max(part.endMs, found.endMs),
    result: joinPieces(pieces),
  }
  cache.put(question, all, state)
  return slicePiece(all, part.startMs, part.endMs)
}

/** Evaluates the query at some of its moments when it is its turn. */
async function compute(
  { engine, queue, clock }: FrontendRun,
  query: Asked,
  { startMs, endMs }: Moments,
  turn: Turn,
  report: QueryReport | undefined,
): Promise<Piece> {
  const askedAt = clock.monotonic()
  const { signal, begin } = turn
  return queue.run(async () => {
    begin()
    const startedAt = clock.monotonic()
    const trace = traceFor(report)
    const result = await engine.range({
      ...query,
      startMs,
      endMs,
      signal,
      ...(trace === null ? {} : { trace }),
    })
    if (result.type !== 'matrix') {
      throw new AppError('INTERNAL', `Cannot answer a range query: the engine gives a ${result.type}`)
    }
    report?.add({
      startMs,
      endMs,
      from: 'engine',
      queuedMs: startedAt - askedAt,
      ms: clock.monotonic() - startedAt,
      trace,
    })
    return { startMs, endMs, result }
  }, signal)
}

function covers(piece: Moments, part: Moments): boolean {
  return piece.startMs <= part.startMs && piece.endMs >= part.endMs
}

function momentsOf({ startMs, endMs }: Moments): Moments {
  return { startMs, endMs }
}
