/** A statement that a query has asked of the database. */
export interface PlanStatement {
  /** Stable name of the question: `metrics.samples`. */
  readonly name: string
  readonly sql: string
  /** Rows read from tables; null where it is not known. */
  readonly rowsRead: number | null
  /** Rows of the answer. */
  readonly rows: number
  /** Wall time, waiting for a free session included. */
  readonly ms: number
}

/** One part of a query that is answered on its own: a selector with its samples, or a grid that the database computes. */
export interface PlanUnit {
  /** The part of the query, as it is written there. */
  readonly expr: string
  /** `pushdown`: the database computes it; `raw`: from samples, here. */
  readonly path: 'pushdown' | 'raw'
  /** Why this path. */
  readonly reason: string
  /** Series that came. */
  readonly series: number
  /** Samples that came; of a pushed-down part the values of its grids. */
  readonly samples: number
  readonly statements: readonly PlanStatement[]
}

/** Collects how a query was answered. Handed in with the query by whoever wants to know. */
export interface QueryTrace {
  add(unit: PlanUnit): void
  /** In the order in which they were answered. */
  readonly units: readonly PlanUnit[]
  /** What does not belong to one unit: functions of the database that are not used, and why. */
  note(text: string): void
  readonly notes: readonly string[]
}

/** An empty trace. */
export function createQueryTrace(): QueryTrace {
  const units: PlanUnit[] = []
  const notes = new Set<string>()
  return {
    add: (unit) => void units.push(unit),
    units,
    note: (text) => void notes.add(text),
    get notes() {
      return [...notes]
    },
  }
}
