import { type Labels, labelPairs, labelsFrom, METRIC_NAME } from '../../model/labels.ts'
import { seriesId } from '../../model/series-id.ts'
import type { Interner } from '../native/interner.ts'
import type { SampleColumns } from '../prometheus/sample-blocks.ts'
import { pushSampleSeries } from '../prometheus/sample-series-row.ts'
import type { SeriesLimiter } from '../series-limit/series-limiter.ts'
import type { MetricColumns } from './metric-blocks.ts'
import { prometheusLabels } from './prometheus-labels.ts'

/** The metric whose labels are a resource's attributes. */
export const TARGET_INFO = 'target_info'

/** The series that says what a resource is. */
export interface Target {
  /** Without the name. */
  readonly labels: Labels
  /** 16 bytes. */
  readonly id: Uint8Array
}

/** Attributes that say which resource it is: they are `job` and `instance` already. */
const IDENTIFYING: ReadonlySet<string> = new Set(['service.name', 'service.namespace', 'service.instance.id'])

/**
 * The series that says what a resource is, as Prometheus makes it of OTLP: its attributes as labels; null when there is none beside those that
 * identify it, or when nothing identifies it.
 */
export function targetOf(
  attributes: readonly (readonly [string, string])[],
  origin: { readonly job: string; readonly instance: string; readonly isNamed: boolean },
): Target | null {
  const told = attributes.filter(([key, value]) => !IDENTIFYING.has(key) && value !== '')
  if (told.length === 0 || (!origin.isNamed && origin.instance === '')) return null
  const labels = labelsFrom(prometheusLabels(told, origin))
  const whole = labelsFrom([[METRIC_NAME, TARGET_INFO], ...labelPairs(labels)])
  return { labels, id: seriesId(whole) }
}

/** What samples of `target_info` are written with. */
export interface TargetInfoParts {
  readonly text: Interner
  readonly columns: SampleColumns['samples']
  readonly seriesColumns: MetricColumns['promSeries']
  /** Says which series are taken; it is told elsewhere whose message follows. */
  readonly limiter: SeriesLimiter
}

/** Beyond that it is learned anew which series were told of. */
const MAX_TOLD = 100_000

/**
 * Writes the samples of `target_info`: in each message one for each resource that has points, with value 1, at the time of its last point; and its
 * row of `prom_series` once a day.
 */
export class TargetInfo {
  readonly #parts: TargetInfoParts
  /** Tenant and id of the series that were told of, and the day. */
  readonly #told = new Map<string, number>()
  /** Keys of what was told of since {@link begin}. */
  readonly #fresh: string[] = []
  /** Targets of the present message, with the nanoseconds of their last points. */
  readonly #seen = new Map<Target, bigint>()
  #tenant = ''
  #tenantId = 0
  #day = 0

  constructor(parts: TargetInfoParts) {
    this.#parts = parts
  }

  /** Says whose message follows (number in the interner) and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    this.#tenant = tenant
    this.#tenantId = tenantId
    this.#day = day
    this.#fresh.length = 0
    this.#seen.clear()
  }

  /** What was written since {@link begin} is taken back, and will be written again. */
  rollback(): void {
    for (const key of this.#fresh) this.#told.delete(key)
    this.#fresh.length = 0
  }

  /** Writes every series anew: what was written may not have reached the disk. */
  forget(): void {
    this.#told.clear()
    this.#fresh.length = 0
  }

  /** A resource has points up to that time, nanoseconds since the epoch. */
  see(target: Target, nanos: bigint): void {
    const before = this.#seen.get(target)
    if (before === undefined || before < nanos) this.#seen.set(target, nanos)
  }

  /** Writes what was seen since {@link begin}. Call at the end of a message. */
  write(): void {
    const { columns, text } = this.#parts
    for (const [target, nanos] of this.#seen) {
      if (!this.#tell(target)) continue
      const ms = nanos / 1_000_000n
      columns.tenant.push(this.#tenantId)
      columns.metric.push(text.internText(TARGET_INFO))
      columns.series.pushFrom(target.id, 0)
      columns.ts.pushUint64(Number(ms & 0xffffffffn), Number(ms >> 32n))
      columns.start.pushZero()
      columns.value.pushFrom(ONE, 0)
      columns.is_stale.pushUint8(0)
    }
    this.#seen.clear()
  }

  #tell(target: Target): boolean {
    const { text, seriesColumns: columns, limiter } = this.#parts
    const key = `${Buffer.from(target.id).toString('latin1')}${this.#tenant}`
    if (this.#told.get(key) === this.#day) return true
    const asking = {
      metric: TARGET_INFO,
      ids: target.id,
      idStart: 0,
      labels: () => labelPairs(target.labels),
    }
    if (!limiter.admits(asking)) return false
    pushSampleSeries(columns, text, {
      tenantId: this.#tenantId,
      nameId: text.internText(TARGET_INFO),
      ids: target.id,
      idStart: 0,
      day: this.#day,
      labels: target.labels,
    })
    if (this.#told.size >= MAX_TOLD) this.#told.clear()
    this.#told.set(key, this.#day)
    this.#fresh.push(key)
    return true
  }
}

const ONE = new Uint8Array(Float64Array.of(1).buffer)
