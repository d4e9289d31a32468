import { Interner } from '../native/interner.ts'
import { METADATA_TYPES } from './metadata-types.ts'
import type { SampleColumns } from './sample-blocks.ts'

/** What a registry of metadata works with. */
export interface MetadataRegistryParts {
  readonly text: Interner
  readonly columns: SampleColumns['metadata']
  /** Makes collisions unpredictable to senders. */
  readonly seed: number
}

const MAX_KNOWN = 200_000
const MAX_BYTES = 32 << 20

interface Told {
  readonly contentId: number
  readonly day: number
}

/** Writes a row of `prom_metadata` when what a tenant says about a metric is new, and once a day. */
export class MetadataRegistry {
  readonly #parts: MetadataRegistryParts
  readonly #contents: Interner
  readonly #told = new Map<string, Told>()
  /** What was written since {@link begin}, with what was written before. */
  readonly #fresh: (readonly [string, Told | undefined])[] = []
  #tenant = ''
  #tenantId = 0
  #day = 0

  constructor(parts: MetadataRegistryParts) {
    this.#parts = parts
    this.#contents = new Interner(parts.seed)
  }

  /** Says whose message follows and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    if (this.#told.size > MAX_KNOWN || this.#contents.arena.length > MAX_BYTES) {
      this.#told.clear()
      this.#contents.clear()
    }
    this.#tenant = tenant
    this.#tenantId = tenantId
    this.#day = day
    this.#fresh.length = 0
  }

  /** What was written since {@link begin} is taken back, and will be written again. */
  rollback(): void {
    for (const [key, before] of this.#fresh.reverse()) {
      if (before === undefined) this.#told.delete(key)
      else this.#told.set(key, before)
    }
    this.#fresh.length = 0
  }

  /** Writes everything anew: what was written may not have reached the disk. */
  forget(): void {
    this.#told.clear()
    this.#fresh.length = 0
  }

  /**
   * Says what a metric is; `type` a number of {@link METADATA_TYPES}. `nowMs` makes the row the one that counts. True when a row was written.
   */
  tell(metric: string, type: number, unit: string, help: string, nowMs: number): boolean {
    const typeName = METADATA_TYPES[type] ?? METADATA_TYPES[0]
    const contentId = this.#contents.internText(`${typeName} ${unit.length} ${unit} ${help}`)
    const key = `${this.#tenant.length} ${this.#tenant} ${metric}`
    const before = this.#told.get(key)
    if (before?.contentId === contentId && before.day === this.#day) return false
    this.#told.set(key, { contentId, day: this.#day })
    this.#fresh.push([key, before])
    const { text, columns } = this.#parts
    columns.tenant.push(this.#tenantId)
    columns.name.push(text.internText(metric))
    columns.day.pushUint16(this.#day)
    columns.type.push(text.internText(typeName))
    columns.unit.push(text.internText(unit))
    columns.help.pushText(help)
    columns.version.pushUint64(nowMs % 0x100000000, Math.floor(nowMs / 0x100000000))
    return true
  }
}
