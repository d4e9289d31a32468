import { quoteText } from '../../../model/labels.ts'
import { formatFloat } from '../../../model/template/format-float.ts'
import type { Expr } from '../ast.ts'
import { positionOf } from '../parse-error.ts'

/** What is told of classic histograms whose counts fall: when, between which bounds, and by how much at most. */
export interface ForcedMonotonicity {
  readonly atMs: number
  readonly minBound: number
  readonly maxBound: number
  readonly maxDifference: number
}

/**
 * Collects what a query's reader should know beside the answer, in Prometheus' words with its place in the query. Each text is told once: a
 * later one takes the earlier one's place, as in Prometheus.
 */
export interface Annotations {
  warn(text: string, at: Expr): void
  inform(text: string, at: Expr): void
  /** The same as `inform`, the details of all calls with that text taken together. */
  informForced(text: string, at: Expr, forced: ForcedMonotonicity): void
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
}

interface Forced {
  count: number
  fromMs: number
  toMs: number
  minBound: number
  maxBound: number
  maxDifference: number
}

/** An empty collection. `query` is the text that places are told in. */
export function createAnnotations(query: string): Annotations {
  const warnings = new Map<string, Expr>()
  const infos = new Map<string, Expr>()
  const forced = new Map<string, Forced>()
  return {
    warn: (text, at) => void warnings.set(text, at),
    inform: (text, at) => void infos.set(text, at),
    informForced(text, at, { atMs, minBound, maxBound, maxDifference }) {
      infos.set(text, at)
      const all = forced.get(text)
      forced.set(text, {
        count: (all?.count ?? 0) + 1,
        fromMs: Math.min(all?.fromMs ?? atMs, atMs),
        toMs: Math.max(all?.toMs ?? atMs, atMs),
        minBound: Math.min(all?.minBound ?? minBound, minBound),
        maxBound: Math.max(all?.maxBound ?? maxBound, maxBound),
        maxDifference: Math.max(all?.maxDifference ?? maxDifference, maxDifference),
      })
    },
    get warnings() {
      return [...warnings].map(([text, at]) => `PromQL warning: ${text} ${place(query, at)}`)
    },
    get infos() {
      return [...infos].map(([text, at]) => {
        const details = forced.get(text)
        const told = details === undefined ? text : text + forcedText(details)
        return `PromQL info: ${told} ${place(query, at)}`
      })
    },
  }
}

/** The part of a message that names the metric; nothing when it has no name. */
export function forMetric(name: string): string {
  return name === '' ? '' : ` for metric name ${quoteText(name)}`
}

function forcedText({ count, fromMs, toMs, minBound, maxBound, maxDifference }: Forced): string {
  const buckets = `from buckets ${formatFloat(minBound, 'g', -1)} to ${formatFloat(maxBound, 'g', -1)}`
  const difference = formatFloat(maxDifference, 'g', 2)
  const times = `from ${wholeSecond(fromMs)} to ${wholeSecond(toMs)}`
  return `, ${buckets}, with a max diff of ${difference}, over ${count} samples ${times}`
}

/** Greatest distance from the epoch that a Date can hold, milliseconds. */
const MAX_DATE_MS = 8.64e15

function wholeSecond(ms: number): string {
  const whole = Math.trunc(ms / 1000) * 1000
  const iso = new Date(Math.max(-MAX_DATE_MS, Math.min(MAX_DATE_MS, whole))).toISOString()
  return `${iso.slice(0, -5)}Z`
}

function place(query: string, at: Expr): string {
  // Prometheus takes parentheses around arguments away before it evaluates.
  if (at.kind === 'paren') return place(query, at.expr)
  const { line, column } = positionOf(query, at.range.start)
  return `(${line}:${column})`
}
