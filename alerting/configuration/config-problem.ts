import { type Document, isMap, isScalar, type LineCounter } from 'yaml'
import type { z } from 'zod'

/** One thing wrong with a configuration file. Lines and columns count from 1. */
export interface ConfigProblem {
  /** `route.routes.0.receiver`; '' for the file as a whole. */
  readonly path: string
  readonly message: string
  readonly line: number
  readonly column: number
}

/** Where in the file the value at a path stands; where the nearest value around it stands when there is none. */
export function positionOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
): { line: number; column: number } {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    const offset = (node as { range?: readonly number[] } | null | undefined)?.range?.[0]
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset)
      return { line, column: col }
    }
  }
  return { line: 1, column: 1 }
}

/** The problem at a path. */
export function problemAt(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
  message: string,
): ConfigProblem {
  return { path: path.map(String).join('.'), message, ...positionOf(document, lines, path) }
}

/** What a schema found, with positions. An unknown key is a problem of its own, at the key. */
export function schemaProblems(
  document: Document,
  lines: LineCounter,
  issues: readonly z.core.$ZodIssue[],
  explainKey: (key: string, path: readonly PropertyKey[]) => string | null,
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [problemAt(document, lines, issue.path, issue.message)]
    return issue.keys.map((key) => {
      const message = explainKey(key, issue.path) ?? `unknown field ${JSON.stringify(key)}`
      const place = keyPosition(document, lines, issue.path, key)
      return { path: [...issue.path, key].map(String).join('.'), message, ...place }
    })
  })
}

function keyPosition(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
  key: string,
): { line: number; column: number } {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true)
  const pair = isMap(map)
    ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    : null
  const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined
  if (offset === undefined) return positionOf(document, lines, path)
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}
