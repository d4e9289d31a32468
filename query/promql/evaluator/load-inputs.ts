import { childrenOf, type Expr, type VectorSelector } from '../ast.ts'
import { inTurns } from '../in-turns.ts'
import { printExpression } from '../print-expression.ts'
import type { InstantQuery, RangeQuery } from '../query-engine.ts'
import type { PlanStatement } from '../query-plan.ts'
import type { Series, SeriesSelection, SeriesSource } from '../series-source.ts'
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
  const common: Common = {
    tenant: query.tenant,
    maxSamples: options.maxSamples,
    wantsStarts,
    // The same object for every selection of this query.
    query: computed,
    ...(query.signal === undefined ? {} : { signal: query.signal }),
  }
  if (source.selectGrids !== undefined || source.streamSeries !== undefined) {
    const stored = planGrids(expr, options.top, options).filter((unit) => {
      const overlaid = query.overlay?.selectSeries({ ...common, ...unit.request }) ?? []
      if (overlaid.length > 0) reasons.set(unit.selector, 'samples that are not stored yet')
      return overlaid.length === 0
    })
    await Promise.all(stored.map((unit) => compute(source, common, unit, query, { computed, reasons })))
    const left = stored.filter(({ node }) => !computed.has(node))
    await inTurns(sameSelection(left), SELECTIONS_AT_ONCE, (units) =>
      stream(source, common, units, query, { ...options, computed, reasons }),
    )
  }
  const answered = new Set([...computed.values()].map(({ unit }) => unit.selector))
  const samples = await loadSamples(source, query, expr, { ...options, common, answered, reasons })
  return { samples, computed }
}

/** While one is computed from, others are read: more would only be held in memory. */
const SELECTIONS_AT_ONCE = 2

type Common = Omit<SeriesSelection, 'matchers' | 'fromMs' | 'toMs'>

/** Units together that are computed from the same samples. */
function sameSelection(units: readonly GridUnit[]): readonly (readonly GridUnit[])[] {
  const groups = Map.groupBy(units, ({ request: { fromMs, toMs, matchers } }) =>
    JSON.stringify([fromMs, toMs, matchers]),
  )
  return [...groups.values()]
}

interface Into {
  readonly computed: Map<Expr, ComputedGrid>
  readonly reasons: Map<VectorSelector, string>
}

/** Has the source compute a unit; the reason is told when it does not. */
async function compute(
  source: SeriesSource,
  common: Common,
  unit: GridUnit,
  { trace }: InstantQuery | RangeQuery,
  into: Into,
): Promise<void> {
  const computed = computedFunction(unit)
  if (source.selectGrids === undefined || computed === null) return
  const statements: PlanStatement[] = []
  const onStatement = (statement: PlanStatement) => void statements.push(statement)
  const request = { ...common, ...unit.request, compute: computed }
  const answer = await source.selectGrids(trace === undefined ? request : { ...request, onStatement })
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

/** Computes units while their series come in, where the source gives them so. */
async function stream(
  source: SeriesSource,
  common: Common,
  units: readonly GridUnit[],
  { trace }: InstantQuery | RangeQuery,
  into: Into & Pick<LoadOptions, 'top' | 'lookbackMs' | 'maxSamples'> & Pick<Evaluation, 'breathe'>,
): Promise<void> {
  // Of one moment there is nothing to gain.
  const wanted = units.filter(({ request }) => request.moments.count >= LEAST_MOMENTS)
  const [first] = wanted
  if (source.streamSeries === undefined || first === undefined) return
  let statements: PlanStatement[] = []
  const { matchers, fromMs, toMs } = first.request
  const selection = { ...common, matchers, fromMs, toMs }
  const onStatement = (statement: PlanStatement) => void statements.push(statement)
  const found = await source.streamSeries(trace === undefined ? selection : { ...selection, onStatement })
  if (found === null) return
  // Series of several metrics may be the same without their names, which is an error.
  const safe = found.isOneMetric ? wanted : wanted.map((unit) => unit.inner ?? unit)
  const streamed = await computeStream(found, safe, into)
  let { samples } = streamed
  for (const { unit, series, metrics } of streamed.units) {
    into.computed.set(unit.node, { unit, answer: { isComputed: true, series, metrics, reason: '' } })
    trace?.add({
      expr: printExpression(unit.node),
      path: 'raw',
      reason: into.reasons.get(unit.selector) ?? 'computed while the samples come in',
      series: series.length,
      samples,
      statements,
    })
    // They are the same for all, and told once.
    samples = 0
    statements = []
  }
}

/** Fewer are computed when all samples are there. */
const LEAST_MOMENTS = 2

function readsStarts(expr: Expr): boolean {
  return (expr.kind === 'call' && expr.name === 'start_timestamp') || childrenOf(expr).some(readsStarts)
}
