import { type Labels, labelPairs, labelValue, METRIC_NAME, withLabel } from '../../model/labels.ts'
import { seriesId } from '../../model/series-id.ts'
import { Interner } from '../native/interner.ts'
import type { MetricColumns } from '../otlp/metric-blocks.ts'
import type { SeriesLimiter } from '../series-limit/series-limiter.ts'
import type { LabelList, LabelProblem } from './label-list.ts'
import { pushSampleSeries } from './sample-series-row.ts'

/** What a registry works with. */
export interface SampleSeriesRegistryParts {
  readonly text: Interner
  readonly columns: MetricColumns['promSeries']
  /** Makes collisions unpredictable to senders. */
  readonly seed: number
  /** Says which series are taken; it is told elsewhere whose message follows. */
  readonly limiter: SeriesLimiter
}

/** The number of what is no series; {@link SampleSeriesRegistry.problem} says why. */
export const NO_SERIES = -1

const NOT_WRITTEN = -1
/** A series that was refused in the limiter's epoch `n` has this less `n` for a day. */
const REFUSED = -1000
/** Beyond these everything is learned anew: senders choose how many series there are. */
const MAX_KNOWN = 2_000_000
const MAX_BYTES = 384 << 20
const ID_BYTES = 16

/**
 * Gives the labels of Prometheus' series their 16-byte id, and writes a row of `prom_series` the first time in a day that a tenant
 * sends the series. Series are recognised by the bytes they came in: those of a known one become neither text nor are they
 * hashed cryptographically.
 */
export class SampleSeriesRegistry {
  /** Ids of the known series; that of series `n` starts at `n * 16`. */
  ids = new Uint8Array(ID_BYTES * 1024)
  /** Why the last series was none. */
  problem: LabelProblem | null = null
  readonly #parts: SampleSeriesRegistryParts
  readonly #known: Interner
  readonly #names: Interner
  /** Number of a series' name in `#names`; 0: the series' id is not known yet. */
  #nameOf = new Int32Array(1024)
  /** The series that came behind this one the last time: a sender's order hardly changes. */
  #next = new Int32Array(1024)
  #previous = 0
  /** Of each tenant, the day on which a series was written. */
  readonly #daysOfTenants = new Map<string, Int32Array>()
  #days: Int32Array = new Int32Array(0)
  /** Series written since {@link begin}, each followed by the day it was written before. */
  readonly #fresh: number[] = []
  #tenant = ''
  #tenantId = 0
  #day = 0
  /** Numbers of the names in `text`, which hold for one generation of it. */
  #textIds = new Int32Array(1024)
  #textGeneration = -1

  constructor(parts: SampleSeriesRegistryParts) {
    this.#parts = parts
    this.#known = new Interner(parts.seed, false)
    this.#names = new Interner(parts.seed)
  }

  /** Says whose message follows and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    if (this.#known.size > MAX_KNOWN || this.#known.arena.length > MAX_BYTES) this.#clear()
    this.#tenant = tenant
    this.#tenantId = tenantId
    this.#day = day
    this.#fresh.length = 0
    this.#days = this.#daysOfTenants.get(tenant) ?? new Int32Array(0)
    if (this.#textGeneration !== this.#parts.text.generation) {
      this.#textIds.fill(0)
      this.#textGeneration = this.#parts.text.generation
    }
  }

  /** What was written since {@link begin} is taken back, and will be written again. */
  rollback(): void {
    const fresh = this.#fresh
    for (let index = fresh.length - 2; index >= 0; index -= 2) {
      this.#days[fresh[index] as number] = fresh[index + 1] as number
    }
    fresh.length = 0
  }

  /** Writes every series anew: what was written may not have reached the disk. */
  forget(): void {
    this.#daysOfTenants.clear()
    this.#days = new Int32Array(0)
    this.#fresh.length = 0
  }

  /**
   * The number of the series that came as `bytes[start, end)` (see {@link ids}). `read` gives its labels; it is asked only when they are needed.
   * {@link NO_SERIES} for labels that make none.
   */
  resolve(bytes: Uint8Array, start: number, end: number, read: () => LabelList): number {
    const guess = this.#next[this.#previous] as number
    const number = this.#known.internLike(bytes, start, end, guess)
    if (number !== guess) {
      if (number >= this.#nameOf.length) this.#grow(number)
      this.#next[this.#previous] = number
    }
    this.#previous = number
    const day = this.#days[number]
    if (day === this.#day) return number
    if (day === REFUSED - this.#parts.limiter.epoch()) return this.#refuse(number)
    return this.#write(number, read())
  }

  /** The number of a series' metric name in `text`. */
  metricId(number: number): number {
    const name = this.#nameOf[number] as number
    const id = this.#textIds[name] ?? 0
    return id === 0 ? this.#internName(name) : id
  }

  /** Grows by one when all numbers of series become void. */
  get generation(): number {
    return this.#known.generation
  }

  /** The metric name of a series. */
  metricName(number: number): string {
    return this.#names.text(this.#nameOf[number] as number)
  }

  #internName(name: number): number {
    const { starts, arena } = this.#names
    const id = this.#parts.text.intern(arena.bytes, starts[name] as number, starts[name + 1] as number)
    if (name >= this.#textIds.length) {
      const grown = new Int32Array(Math.max(name + 1, this.#textIds.length * 2))
      grown.set(this.#textIds)
      this.#textIds = grown
    }
    this.#textIds[name] = id
    return id
  }

  #write(number: number, list: LabelList): number {
    this.problem = list.problem()
    if (this.problem !== null) return NO_SERIES
    const labels = list.labels()
    if (this.#nameOf[number] === 0) this.#learn(number, labels)
    const { limiter } = this.#parts
    const isAdmitted = limiter.admits({
      metric: labelValue(labels, METRIC_NAME),
      ids: this.ids,
      idStart: number * ID_BYTES,
      labels: () => labelPairs(withLabel(labels, METRIC_NAME, '')),
    })
    const days = this.#tenantDays(number)
    if (!isAdmitted) {
      days[number] = REFUSED - limiter.epoch()
      return this.#refuse(number)
    }
    this.#writeRow(number, labels)
    this.#fresh.push(number, days[number] as number)
    days[number] = this.#day
    return number
  }

  #refuse(number: number): number {
    this.problem = { reason: 'series_limit', detail: `a new series of ${this.metricName(number)}` }
    return NO_SERIES
  }

  #learn(number: number, labels: Labels): void {
    this.ids.set(seriesId(labels), number * ID_BYTES)
    this.#nameOf[number] = this.#names.internText(labelValue(labels, METRIC_NAME))
  }

  #writeRow(number: number, labels: Labels): void {
    const { columns, text } = this.#parts
    pushSampleSeries(columns, text, {
      tenantId: this.#tenantId,
      nameId: this.metricId(number),
      ids: this.ids,
      idStart: number * ID_BYTES,
      day: this.#day,
      labels,
    })
  }

  #tenantDays(number: number): Int32Array {
    if (number < this.#days.length) return this.#days
    const days = new Int32Array(this.#nameOf.length).fill(NOT_WRITTEN)
    days.set(this.#days)
    this.#days = days
    this.#daysOfTenants.set(this.#tenant, days)
    return days
  }

  #grow(number: number): void {
    let size = this.#nameOf.length * 2
    while (size <= number) size *= 2
    const nameOf = new Int32Array(size)
    nameOf.set(this.#nameOf)
    this.#nameOf = nameOf
    const next = new Int32Array(size)
    next.set(this.#next)
    this.#next = next
    const ids = new Uint8Array(size * ID_BYTES)
    ids.set(this.ids)
    this.ids = ids
  }

  #clear(): void {
    this.#known.clear()
    this.#names.clear()
    this.#nameOf = new Int32Array(1024)
    this.#next = new Int32Array(1024)
    this.ids = new Uint8Array(ID_BYTES * 1024)
    this.#textIds = new Int32Array(1024)
    this.#previous = 0
    this.forget()
  }
}
