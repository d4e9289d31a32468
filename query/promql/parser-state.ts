import { childrenOf, type Expr } from './ast.ts'
import { parseError } from './parse-error.ts'
import { createTokenCursor, type TokenCursor } from './token-cursor.ts'

/** How a query is to be read. */
export interface ParseOptions {
  /** Whether what Prometheus keeps behind feature flags is part of the language; true when not said. */
  readonly allowExperimental?: boolean
}

/** How deep an expression may be nested; what works on trees may then recurse. */
export const MOST_LEVELS = 500

/** What the parts of the parser share while they read one query. */
export interface ParserState {
  readonly cursor: TokenCursor
  readonly allowExperimental: boolean
  /** How many aggregations the parser is inside of; Prometheus names them where something unexpected stands. */
  aggregations: number
  /** How many expressions the parser is inside of. */
  levels: number
  readonly depths: WeakMap<Expr, number>
}

/** Begins to read a query. */
export function createParserState(text: string, options: ParseOptions): ParserState {
  return {
    cursor: createTokenCursor(text),
    allowExperimental: options.allowExperimental ?? true,
    aggregations: 0,
    levels: 0,
    depths: new WeakMap(),
  }
}

/** Returns the node, whose children are finished. Throws AppError QUERY_PARSE_FAILED when it is nested too deeply. */
export function finish<Node extends Expr>(state: ParserState, node: Node): Node {
  let depth = 1
  for (const child of childrenOf(node)) depth = Math.max(depth, (state.depths.get(child) ?? 0) + 1)
  state.depths.set(node, depth)
  if (depth > MOST_LEVELS) throw tooDeep(state)
  return node
}

/** Runs one level deeper. Throws AppError QUERY_PARSE_FAILED when that is too deep. */
export function oneLevelDeeper<Value>(state: ParserState, parse: () => Value): Value {
  if (state.levels >= MOST_LEVELS) throw tooDeep(state)
  state.levels += 1
  try {
    return parse()
  } finally {
    state.levels -= 1
  }
}

function tooDeep(state: ParserState): Error {
  const { cursor } = state
  return parseError(cursor.text, cursor.peek(), `expression is nested more than ${MOST_LEVELS} levels deep`)
}
