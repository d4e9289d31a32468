import { childrenOf, type Expr, type VectorSelector } from '../ast.ts'
import { printExpression } from '../print-expression.ts'
import type { InstantQuery, RangeQuery } from '../query-engine.ts'
import type { PlanStatement } from '../query-plan.ts'
import type { GridRequest, Series, SeriesSelection, SeriesSource } from '../series-source.ts'
import type { Evaluation } from './evaluation.ts'
import { loadSamples } from './load-samples.ts'
import { computedFunction, type GridUnit, planGrids } from './plan-grids.ts'
import type { PlanOptions } from './plan-selectors.ts'
import { computeStream } from './stream-grids.ts'
import type { ComputedGrid } from './use-grids.ts'

/** What a query is evaluated from: samples of selectors, and what the source has computed by itself. */
export interface QueryInputs {
  readonly samples: ReadonlyMap<VectorSelector, readonly Series[]>
  readonly computed: ReadonlyMap<Expr, ComputedGrid>
}

/** How much may be loaded, and whether samples' start times count. */
export interface LoadOptions extends PlanOptions {
  readonly maxSamples: number
  readonly breathe: Evaluation['breathe']
  readonly usesStartTimestamps: boolean
}

/**
 * Has the source compute what it can, and gets the samples of every other selector. Throws RESULT_TOO_LARGE when the samples are more than
 * `maxSamples`, and what the source throws.
 */
export async function loadInputs(
  source: SeriesSource,
  query: InstantQuery | RangeQuery,
  expr: Expr,
  options: LoadOptions,
): Promise<QueryInputs> {
  const computed = new Map<Expr, ComputedGrid>()
  const reasons = new Map<VectorSelector, string>()
  const wantsStarts = options.usesStartTimestamps || readsStarts(expr)
  const common: Omit<SeriesSelection, 'matchers' | 'fromMs' | 'toMs'> = {
    tenant: query.tenant,
    maxSamples: options.maxSamples,
    wantsStarts,
    // The same object for every selection of this query.
    query: computed,
    ...(query.signal === undefined ? {} : { signal: query.signal }),
  }
  if (source.selectGrids !== undefined || source.streamSeries !== undefined) {
    await Promise.all(
      planGrids(expr, options.top, options).map(async (unit) => {
        const selection = { ...common, ...unit.request }
        const overlaid = query.overlay?.selectSeries(selection) ?? []
        if (overlaid.length > 0) return void reasons.set(unit.selector, 'samples that are not stored yet')
        const isDone = await compute(source, selection, unit, query, { computed, reasons })
        if (!isDone) await stream(source, selection, unit, query, { ...options, computed, reasons })
      }),
    )
  }
  const answered = new Set([...computed.values()].map(({ unit }) => unit.selector))
  const samples = await loadSamples(source, query, expr, { ...options, common, answered, reasons })
  return { samples, computed }
}

type Selection = Omit<GridRequest, 'compute'>

interface Into {
  readonly computed: Map<Expr, ComputedGrid>
  readonly reasons: Map<VectorSelector, string>
}

/** Has the source compute a unit; false, and the reason told, when it does not. */
async function compute(
  source: SeriesSource,
  selection: Selection,
  unit: GridUnit,
  { trace }: InstantQuery | RangeQuery,
  into: Into,
): Promise<boolean> {
  const computed = computedFunction(unit)
  if (source.selectGrids === undefined || computed === null) return false
  const statements: PlanStatement[] = []
  const onStatement = (statement: PlanStatement) => void statements.push(statement)
  const request = { ...selection, compute: computed }
  const answer = await source.selectGrids(trace === undefined ? request : { ...request, onStatement })
  if (!answer.isComputed) {
    into.reasons.set(unit.selector, answer.reason)
    return false
  }
  into.computed.set(unit.node, { unit, answer })
  trace?.add({
    expr: printExpression(unit.node),
    path: 'pushdown',
    reason: answer.reason,
    series: answer.series.length,
    samples: answer.series.length * selection.moments.count,
    statements,
  })
  return true
}

/** Computes a unit while its series come in, where the source gives them so. */
async function stream(
  source: SeriesSource,
  selection: Selection,
  whole: GridUnit,
  query: InstantQuery | RangeQuery,
  into: Into & Pick<LoadOptions, 'top' | 'lookbackMs' | 'maxSamples'> & Pick<Evaluation, 'breathe'>,
): Promise<void> {
  // Of one moment there is nothing to gain.
  if (source.streamSeries === undefined || selection.moments.count < LEAST_MOMENTS) return
  const statements: PlanStatement[] = []
  const { trace } = query
  const onStatement = (statement: PlanStatement) => void statements.push(statement)
  const found = await source.streamSeries(trace === undefined ? selection : { ...selection, onStatement })
  if (found === null) return
  // Series of several metrics may be the same without their names, which is an error.
  const unit = found.isOneMetric ? whole : (whole.inner ?? whole)
  const { series, samples, metrics } = await computeStream(found, unit, into)
  const answer = { isComputed: true, series, metrics, reason: '' } as const
  into.computed.set(unit.node, { unit, answer })
  trace?.add({
    expr: printExpression(unit.node),
    path: 'raw',
    reason: into.reasons.get(unit.selector) ?? 'computed while the samples come in',
    series: series.length,
    samples,
    statements,
  })
}

/** Fewer are computed when all samples are there. */
const LEAST_MOMENTS = 2

function readsStarts(expr: Expr): boolean {
  return (expr.kind === 'call' && expr.name === 'start_timestamp') || childrenOf(expr).some(readsStarts)
}
