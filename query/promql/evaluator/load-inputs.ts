import { childrenOf, type Expr, type VectorSelector } from '../ast.ts'
import { printExpression } from '../print-expression.ts'
import type { InstantQuery, RangeQuery } from '../query-engine.ts'
import type { PlanStatement } from '../query-plan.ts'
import type { GridRequest, Series, SeriesSelection, SeriesSource } from '../series-source.ts'
import { loadSamples } from './load-samples.ts'
import { type GridUnit, planGrids } from './plan-grids.ts'
import type { PlanOptions } from './plan-selectors.ts'
import type { ComputedGrid } from './use-grids.ts'

/** What a query is evaluated from: samples of selectors, and what the source has computed by itself. */
export interface QueryInputs {
  readonly samples: ReadonlyMap<VectorSelector, readonly Series[]>
  readonly computed: ReadonlyMap<Expr, ComputedGrid>
}

/** How much may be loaded, and whether samples' start times count. */
export interface LoadOptions extends PlanOptions {
  readonly maxSamples: number
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
  const { selectGrids } = source
  if (selectGrids !== undefined) {
    await Promise.all(
      planGrids(expr, options.top, options).map(async (unit) => {
        const request = { ...common, ...unit.request }
        const overlaid = query.overlay?.selectSeries(request) ?? []
        if (overlaid.length > 0) reasons.set(unit.selector, 'samples that are not stored yet')
        else await compute(selectGrids, request, unit, query, { computed, reasons })
      }),
    )
  }
  const answered = new Set([...computed.values()].map(({ unit }) => unit.selector))
  const samples = await loadSamples(source, query, expr, { ...options, common, answered, reasons })
  return { samples, computed }
}

async function compute(
  selectGrids: NonNullable<SeriesSource['selectGrids']>,
  request: GridRequest,
  unit: GridUnit,
  { trace }: InstantQuery | RangeQuery,
  into: { readonly computed: Map<Expr, ComputedGrid>; readonly reasons: Map<VectorSelector, string> },
): Promise<void> {
  const statements: PlanStatement[] = []
  const onStatement = (statement: PlanStatement) => void statements.push(statement)
  const answer = await selectGrids(trace === undefined ? request : { ...request, onStatement })
  if (!answer.isComputed) {
    into.reasons.set(unit.selector, answer.reason)
    return
  }
  into.computed.set(unit.node, { unit, answer })
  trace?.add({
    expr: printExpression(unit.node),
    path: 'pushdown',
    reason: answer.reason,
    series: answer.series.length,
    samples: answer.series.length * request.moments.count,
    statements,
  })
}

function readsStarts(expr: Expr): boolean {
  return (expr.kind === 'call' && expr.name === 'start_timestamp') || childrenOf(expr).some(readsStarts)
}
