import type { AtModifier, Expr } from './ast.ts'
import { mapChildren } from './map-children.ts'

/** The times that a query is asked for. */
export interface QueryContext {
  /** Epoch milliseconds. */
  readonly startMs: number
  /** Epoch milliseconds; as asked, whether a step falls on it or not. */
  readonly endMs: number
  readonly stepMs: number
}

/**
 * The same expression with everything that speaks of the query itself replaced by its value: `start()`, `end()`, `range()`, `step()` (seconds) and `@ start()`,
 * `@ end()`. Returns the very same tree when there is nothing of it.
 */
export function resolveContext(expr: Expr, context: QueryContext): Expr {
  const resolve = (node: Expr): Expr => {
    const changed = mapChildren(node, resolve)
    if (changed.kind === 'call' && CALLS.has(changed.name)) {
      return {
        kind: 'number',
        value: secondsOf(changed.name, context),
        isDuration: false,
        range: changed.range,
      }
    }
    if (changed.kind !== 'vectorSelector' && changed.kind !== 'subquery') return changed
    const at = fixed(changed.at, context)
    return at === changed.at ? changed : { ...changed, at }
  }
  return resolve(expr)
}

const CALLS: ReadonlySet<string> = new Set(['start', 'end', 'range', 'step'])

function secondsOf(name: string, { startMs, endMs, stepMs }: QueryContext): number {
  switch (name) {
    case 'start':
      return startMs / 1000
    case 'end':
      return endMs / 1000
    case 'range':
      return (endMs - startMs) / 1000
    default:
      // One moment has no step.
      return startMs === endMs ? 0 : stepMs / 1000
  }
}

function fixed(at: AtModifier | null, { startMs, endMs }: QueryContext): AtModifier | null {
  if (at === null || at.kind === 'time') return at
  return { kind: 'time', ms: at.kind === 'start' ? startMs : endMs }
}
