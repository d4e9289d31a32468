/** Names and values of labels. */
export type MetricLabels = Readonly<Record<string, string>>

/** One series of a counter or gauge. Whoever holds it changes `value`: nothing is looked up on a request's way. */
export interface MetricCell {
  readonly labels: MetricLabels
  value: number
}

/** One series of a histogram. */
export interface HistogramCell {
  readonly labels: MetricLabels
  /** One more than there are boundaries; not cumulative. */
  readonly counts: number[]
  sum: number
  count: number
}

/** What all series of a name share. */
export interface MetricFamily<Cell> {
  /** Its name over OTLP. */
  readonly name: string
  /** Its name in Prometheus' text. */
  readonly textName: string
  readonly help: string
  readonly unit: string
  /** The series with these labels, made when it is asked for first. */
  cell(labels: MetricLabels): Cell
  cells(): Iterable<Cell>
  /** Forgets a series. */
  remove(labels: MetricLabels): void
}

/** A family with its kind. */
export type AnyFamily =
  | { readonly kind: 'counter' | 'gauge'; readonly family: MetricFamily<MetricCell> }
  | {
      readonly kind: 'histogram'
      readonly family: MetricFamily<HistogramCell>
      readonly boundaries: readonly number[]
    }

/** A name that differs between OTLP and text, and the unit that OTLP carries beside it. */
export interface MetricNaming {
  readonly textName?: string
  readonly unit?: string
}

/** The metrics of one proxy. */
export interface MetricRegistry {
  counter(name: string, help: string, naming?: MetricNaming): MetricFamily<MetricCell>
  gauge(name: string, help: string, naming?: MetricNaming): MetricFamily<MetricCell>
  histogram(
    name: string,
    help: string,
    boundaries: readonly number[],
    naming?: MetricNaming,
  ): MetricFamily<HistogramCell>
  /** Called before the metrics are read: the place to set gauges. */
  onCollect(refresh: () => void): void
  /** All families, gauges fresh. */
  collect(): readonly AnyFamily[]
}

/**
 * Series that one family may have. Labels come in part from peers: beyond this, values go to one series whose labels say
 * `overflow`, so that nobody can fill the memory.
 */
export const MAX_SERIES = 5000

/** Makes an empty registry. */
export function createMetricRegistry(): MetricRegistry {
  const families: AnyFamily[] = []
  const refreshers: (() => void)[] = []
  const simple = (kind: 'counter' | 'gauge') => (name: string, help: string, naming?: MetricNaming) => {
    const family = createFamily<MetricCell>(name, help, naming, (labels) => ({ labels, value: 0 }))
    families.push({ kind, family })
    return family
  }
  return {
    counter: simple('counter'),
    gauge: simple('gauge'),
    histogram(name, help, boundaries, naming) {
      const family = createFamily<HistogramCell>(name, help, naming, (labels) => ({
        labels,
        counts: new Array<number>(boundaries.length + 1).fill(0),
        sum: 0,
        count: 0,
      }))
      families.push({ kind: 'histogram', family, boundaries })
      return family
    },
    onCollect: (refresh) => void refreshers.push(refresh),
    collect() {
      for (const refresh of refreshers) refresh()
      return families
    },
  }
}

/** Adds a value to a histogram with these boundaries, each the inclusive upper end of its bucket. */
export function observe(cell: HistogramCell, boundaries: readonly number[], value: number): void {
  let bucket = 0
  while (bucket < boundaries.length && value > (boundaries[bucket] ?? 0)) bucket += 1
  cell.counts[bucket] = (cell.counts[bucket] ?? 0) + 1
  cell.sum += value
  cell.count += 1
}

function createFamily<Cell>(
  name: string,
  help: string,
  naming: MetricNaming | undefined,
  make: (labels: MetricLabels) => Cell,
): MetricFamily<Cell> {
  const cells = new Map<string, Cell>()
  const keyOf = (labels: MetricLabels) => Object.entries(labels).flat().join('\0')
  return {
    name,
    textName: naming?.textName ?? name,
    help,
    unit: naming?.unit ?? '',
    cell(labels) {
      const key = keyOf(labels)
      const known = cells.get(key)
      if (known !== undefined) return known
      if (cells.size >= MAX_SERIES) {
        if (labels['overflow'] === undefined) return this.cell({ overflow: 'true' })
      }
      const made = make(labels)
      cells.set(key, made)
      return made
    },
    cells: () => cells.values(),
    remove: (labels) => void cells.delete(keyOf(labels)),
  }
}
