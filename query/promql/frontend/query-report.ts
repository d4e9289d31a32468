import { createQueryTrace, type QueryTrace } from '../query-plan.ts'

/** One part of a query's moments, and how its answer came about. Times are epoch milliseconds. */
export interface ReportPart {
  readonly startMs: number
  /** Inclusive. */
  readonly endMs: number
  /** Whether it was remembered from before, or computed. */
  readonly from: 'cache' | 'engine'
  /** Waiting for other queries to end, milliseconds. */
  readonly queuedMs: number
  /** Computing, milliseconds. */
  readonly ms: number
  /** How it was computed; null: it was not. */
  readonly trace: QueryTrace | null
}

/** Collects how a query was answered, for those who want to see it. */
export interface QueryReport {
  add(part: ReportPart): void
  readonly parts: readonly ReportPart[]
  /** Why the query's range was not split or not remembered. */
  note(text: string): void
  readonly notes: readonly string[]
}

/** An empty report. */
export function createQueryReport(): QueryReport {
  const parts: ReportPart[] = []
  const notes = new Set<string>()
  return {
    add: (part) => void parts.push(part),
    get parts() {
      return parts.toSorted((a, b) => a.startMs - b.startMs)
    },
    note: (text) => void notes.add(text),
    get notes() {
      return [...notes]
    },
  }
}

/** The trace for a part, when somebody wants to see it. */
export function traceFor(report: QueryReport | undefined): QueryTrace | null {
  return report === undefined ? null : createQueryTrace()
}
