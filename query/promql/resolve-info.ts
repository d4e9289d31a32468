import { METRIC_NAME } from '../../model/labels.ts'
import type { Matcher } from '../../model/matcher.ts'
import {
  type Call,
  childrenOf,
  type Expr,
  type Subquery,
  type TimeShift,
  typeOf,
  type VectorSelector,
} from './ast.ts'
import { mapChildren } from './map-children.ts'

/**
 * The same expression with the second argument of every `info` written out: which info metrics (`target_info` unless said), and when they are read.
 * That is the time of the first argument's selectors, `@` and `offset` applied, if they all agree; otherwise the moment of evaluation. `@ start()`
 * and `@ end()` must be resolved before. Returns the very same tree when there is no `info`.
 */
export function resolveInfo(expr: Expr): Expr {
  const changed = mapChildren(expr, resolveInfo)
  return changed.kind === 'call' && changed.name === 'info' ? writtenOut(changed) : changed
}

const TARGET_INFO: Matcher = { name: METRIC_NAME, op: '=', value: 'target_info' }
/** What is meant where conditions only say which metrics are not. */
const ANY_INFO: Matcher = { name: METRIC_NAME, op: '=~', value: '.+_info' }

function writtenOut(call: Call): Call {
  const [vector, given] = call.args
  if (vector === undefined) return call
  const written = given?.kind === 'vectorSelector' ? given.matchers : []
  const names = written.filter(({ name }) => name === METRIC_NAME)
  const isNamed = names.some(({ op }) => op === '=' || op === '=~')
  const madeUp = names.length === 0 ? TARGET_INFO : ANY_INFO
  const selector: VectorSelector = {
    kind: 'vectorSelector',
    name: '',
    matchers: isNamed ? written : [...written, madeUp],
    bounds: '',
    offsetExpr: null,
    range: given?.range ?? call.range,
    ...commonShift(vector),
  }
  return { ...call, args: [vector, selector] }
}

type Shift = Pick<TimeShift, 'offsetMs' | 'at'>

/** The shift in time that all of an expression's vectors have in common, or none. */
function commonShift(expr: Expr): Shift {
  const shifts: Shift[] = []
  let isAnyFree = false
  const visit = (node: Expr, around: readonly Subquery[]): boolean => {
    const type = typeOf(node)
    if (type !== 'vector' && type !== 'matrix') return false
    if (node.kind === 'matrixSelector') return visit(node.selector, around)
    if (node.kind === 'vectorSelector') {
      shifts.push(effectiveShift(node, around))
      return true
    }
    const inner = node.kind === 'subquery' ? [...around, node] : around
    // The second argument of an info inside selects labels, it is no vector of its own.
    const children = node.kind === 'call' && node.name === 'info' ? node.args.slice(0, 1) : childrenOf(node)
    const haveSelectors = children.map((child) => visit(child, inner)).includes(true)
    // A vector that no selector gives is of the moment of evaluation.
    if (!haveSelectors) isAnyFree = true
    return haveSelectors
  }
  visit(expr, [])
  const [first] = shifts
  const none: Shift = { offsetMs: 0, at: null }
  if (first === undefined || isAnyFree) return none
  const agree = shifts.every((one) => one.offsetMs === first.offsetMs && fixedMs(one) === fixedMs(first))
  return agree ? first : none
}

/** `@` and offset together: once a time is fixed, the offset is part of it. */
function effectiveShift(selector: VectorSelector, around: readonly Subquery[]): Shift {
  let { offsetMs, at } = selector
  for (const subquery of around.toReversed()) {
    if (at !== null) break
    offsetMs += subquery.offsetMs
    at = subquery.at
  }
  if (at?.kind !== 'time') return { offsetMs, at }
  return { offsetMs: 0, at: { kind: 'time', ms: at.ms - offsetMs } }
}

function fixedMs({ at }: Shift): number | null {
  return at?.kind === 'time' ? at.ms : null
}
