import type { Interner } from '../native/interner.ts'
import type { AttributeObserver } from './attribute-reader.ts'
import type { AttributeKeyColumns } from './origin-block.ts'

/** Where an attribute stands; the numbers are those of the column `level`. */
export const ATTRIBUTE_LEVELS = { span: 1, resource: 2, scope: 3, log: 4, metric: 5 } as const

/** One of {@link ATTRIBUTE_LEVELS}. */
export type AttributeLevel = keyof typeof ATTRIBUTE_LEVELS

/** Keys told of per tenant and day; a sender that makes up keys without end is not listed beyond it. */
const MAX_KEYS_PER_DAY = 10_000

const KIND_BIT: Readonly<Record<string, number>> = { s: 1, i: 2, d: 4, b: 8, y: 16, a: 32, m: 64, e: 128 }
const KIND_BITS = new Uint8Array(128)
for (const [kind, bit] of Object.entries(KIND_BIT)) KIND_BITS[kind.charCodeAt(0)] = bit

interface Seen {
  /** Kinds already told, as bits, by the key's interner number; one array per level. */
  readonly kinds: Uint8Array[]
  told: number
}

/** Writes a row of `attribute_keys` the first time in a day that a tenant sends a key of a kind at a level. */
export class AttributeKeyRegistry {
  readonly #interner: Interner
  readonly #columns: AttributeKeyColumns
  readonly #tenants = new Map<string, Seen>()
  #current: Seen = { kinds: [], told: 0 }
  /** What was told since {@link begin}: level, key's number, kind's bit, one after the other. */
  readonly #fresh: number[] = []
  #toldBefore = 0
  #tenantId = 0
  #day = -1
  #generation = -1

  constructor(interner: Interner, columns: AttributeKeyColumns) {
    this.#interner = interner
    this.#columns = columns
  }

  /** Says whose message follows and on which day (days since the epoch) it came. */
  begin(tenant: string, tenantId: number, day: number): void {
    if (day !== this.#day || this.#interner.generation !== this.#generation) this.forget()
    this.#day = day
    this.#generation = this.#interner.generation
    this.#tenantId = tenantId
    let seen = this.#tenants.get(tenant)
    if (seen === undefined) {
      seen = { kinds: Array.from({ length: 6 }, () => new Uint8Array(1024)), told: 0 }
      this.#tenants.set(tenant, seen)
    }
    this.#current = seen
    this.#fresh.length = 0
    this.#toldBefore = seen.told
  }

  /** What was told since {@link begin} is taken back, and will be told again. */
  rollback(): void {
    const fresh = this.#fresh
    for (let at = 0; at < fresh.length; at += 3) {
      const kinds = this.#current.kinds[fresh[at] as number] as Uint8Array
      const keyId = fresh[at + 1] as number
      kinds[keyId] = (kinds[keyId] as number) & ~(fresh[at + 2] as number)
    }
    fresh.length = 0
    this.#current.told = this.#toldBefore
  }

  /** Tells everything anew: what was written may not have reached the disk. */
  forget(): void {
    this.#tenants.clear()
    this.#fresh.length = 0
  }

  /** The observer for attributes at one level. */
  observer(level: AttributeLevel): AttributeObserver {
    const number = ATTRIBUTE_LEVELS[level]
    return (keyId, kind) => {
      const bit = KIND_BITS[kind] as number
      const kinds = this.#current.kinds[number] as Uint8Array
      if (keyId >= kinds.length || ((kinds[keyId] as number) & bit) === 0)
        this.#tell(number, keyId, kind, bit)
    }
  }

  #tell(level: number, keyId: number, kind: number, bit: number): void {
    const seen = this.#current
    let kinds = seen.kinds[level] as Uint8Array
    if (keyId >= kinds.length) {
      const grown = new Uint8Array(Math.max(kinds.length * 2, keyId + 1))
      grown.set(kinds)
      kinds = grown
      seen.kinds[level] = grown
    }
    kinds[keyId] = (kinds[keyId] as number) | bit
    this.#fresh.push(level, keyId, bit)
    if (seen.told >= MAX_KEYS_PER_DAY) return
    seen.told++
    const columns = this.#columns
    columns.tenant.push(this.#tenantId)
    columns.day.pushUint16(this.#day)
    columns.level.pushUint8(level)
    columns.key.push(keyId)
    columns.kind.push(this.#interner.internText(String.fromCharCode(kind)))
  }
}
