import { childrenOf, type Expr } from './ast.ts'

/** The node with each expression directly below it replaced by what `map` makes of it; the very same node when all stay the same. */
export function mapChildren(node: Expr, map: (child: Expr) => Expr): Expr {
  const before = childrenOf(node)
  const children = before.map(map)
  if (children.every((child, index) => child === before[index])) return node
  const [first = node, second = node] = children
  switch (node.kind) {
    case 'unary':
    case 'paren':
    case 'subquery':
      return { ...node, expr: first }
    case 'binary':
      return { ...node, lhs: first, rhs: second }
    case 'aggregate':
      return node.param === null ? { ...node, expr: first } : { ...node, param: first, expr: second }
    case 'call':
      return { ...node, args: children }
    case 'matrixSelector':
      return first.kind === 'vectorSelector' ? { ...node, selector: first } : node
    case 'number':
    case 'string':
    case 'vectorSelector':
      return node
  }
}
