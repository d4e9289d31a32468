import { childrenOf, type Expr } from '../query/promql/ast.ts'
import { parseExpression } from '../query/promql/parse-expression.ts'
import type { RuleGroup } from './rule-group.ts'

/** What an expression without a range looks back over, milliseconds: where its evidence is to be sought. */
export const DEFAULT_WINDOW_MS = 5 * 60_000

/** Recording rules that are made of recording rules; deeper chains than that are cut. */
const MAX_CHAIN = 10

/**
 * How far back each expression looks, milliseconds: its widest range, or that of the recording rules it is made of. An expression without any,
 * or one that does not parse, has {@link DEFAULT_WINDOW_MS}.
 */
export function createRuleWindows(groups: readonly RuleGroup[]): (expr: string) => number {
  const recorded = new Map<string, string[]>()
  for (const { rules } of groups) {
    for (const { kind, name, expr } of rules) {
      if (kind === 'recording') recorded.set(name, [...(recorded.get(name) ?? []), expr])
    }
  }
  const known = new Map<string, number>()
  const windowOf = (text: string, depth: number): number => {
    const before = known.get(text)
    if (before !== undefined) return before
    const expr = parsed(text)
    const { rangeMs, names } = expr === null ? { rangeMs: 0, names: [] } : lookback(expr)
    let windowMs = rangeMs
    if (depth < MAX_CHAIN) {
      for (const inner of names.flatMap((name) => recorded.get(name) ?? [])) {
        if (inner !== text) windowMs = Math.max(windowMs, windowOf(inner, depth + 1))
      }
    }
    if (depth === 0) known.set(text, windowMs)
    return windowMs
  }
  return (text) => windowOf(text, 0) || DEFAULT_WINDOW_MS
}

function parsed(text: string): Expr | null {
  try {
    return parseExpression(text)
  } catch {
    return null
  }
}

function lookback(expr: Expr): { readonly rangeMs: number; readonly names: readonly string[] } {
  const inner = childrenOf(expr).map(lookback)
  let rangeMs = Math.max(0, ...inner.map((child) => child.rangeMs))
  const names = inner.flatMap((child) => child.names)
  if (expr.kind === 'matrixSelector') rangeMs = Math.max(rangeMs, expr.rangeMs)
  if (expr.kind === 'subquery') rangeMs += expr.rangeMs
  if (expr.kind === 'vectorSelector' && expr.name !== '') names.push(expr.name)
  return { rangeMs, names }
}
