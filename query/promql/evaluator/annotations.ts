import { quoteText } from '../../../model/labels.ts'
import type { Expr } from '../ast.ts'
import { positionOf } from '../parse-error.ts'

/** Collects what a query's reader should know beside the answer, each once, in Prometheus' words with its place in the query. */
export interface Annotations {
  warn(text: string, at: Expr): void
  inform(text: string, at: Expr): void
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
}

/** An empty collection. `query` is the text that places are told in. */
export function createAnnotations(query: string): Annotations {
  const warnings = new Set<string>()
  const infos = new Set<string>()
  return {
    warn: (text, at) => void warnings.add(`PromQL warning: ${text} ${place(query, at)}`),
    inform: (text, at) => void infos.add(`PromQL info: ${text} ${place(query, at)}`),
    get warnings() {
      return [...warnings]
    },
    get infos() {
      return [...infos]
    },
  }
}

/** The part of a message that names the metric; nothing when it has no name. */
export function forMetric(name: string): string {
  return name === '' ? '' : ` for metric name ${quoteText(name)}`
}

function place(query: string, { range }: Expr): string {
  const { line, column } = positionOf(query, range.start)
  return `(${line}:${column})`
}
