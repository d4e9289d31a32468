import { childrenOf, type Expr, typeOf, type ValueType } from '../../query/promql/ast.ts'
import { parseExpression } from '../../query/promql/parse-expression.ts'

/**
 * Smaller expressions made from one, smallest first: its parts, and itself with a part put in the place of a larger one of the same type. Empty when it cannot
 * be parsed.
 */
export function smallerExpressions(text: string): string[] {
  const root = parsed(text)
  if (root === null) return []
  const found = new Set<string>()
  const parts = descendantsOf(root)
  for (const part of parts) if (typeOf(part) !== 'string') found.add(textOf(text, part))
  for (const place of [root, ...parts]) {
    for (const part of descendantsOf(place)) {
      if (!isReplaceable(typeOf(place), typeOf(part))) continue
      const { start, end } = place.range
      found.add(`${text.slice(0, start)}${wrapped(textOf(text, part), part)}${text.slice(end)}`)
    }
  }
  for (const simpler of withoutDecoration(text)) found.add(simpler)
  found.delete(text)
  return [...found].filter((one) => one.length < text.length).sort((a, b) => a.length - b.length)
}

/** One shift, matcher list or grouping less. Some of these are no expressions any more. */
function withoutDecoration(text: string): string[] {
  const patterns = [
    / offset -?\w+/g,
    / @ (?:[\d.]+|start\(\)|end\(\))/g,
    /\{[^{}]*\}/g,
    / (?:by|without) \([^()]*\)/g,
  ]
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(
      ({ index, 0: match }) => text.slice(0, index) + text.slice(index + match.length),
    ),
  )
}

function descendantsOf(expr: Expr): Expr[] {
  return childrenOf(expr).flatMap((child) => [child, ...descendantsOf(child)])
}

function isReplaceable(place: ValueType, part: ValueType): boolean {
  return place === part || (place === 'vector' && part === 'scalar')
}

function wrapped(text: string, part: Expr): string {
  return part.kind === 'binary' || part.kind === 'unary' ? `(${text})` : text
}

function textOf(text: string, { range }: Expr): string {
  return text.slice(range.start, range.end)
}

function parsed(text: string): Expr | null {
  try {
    return parseExpression(text)
  } catch {
    return null
  }
}
