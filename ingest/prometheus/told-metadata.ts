import { Interner } from '../native/interner.ts'

/** Beyond this many different texts everything counts as new again. */
const MAX_KNOWN = 200_000

/**
 * Knows what was said last with each series, so that what remote write 2.0 repeats with every sample is not read again. Numbers stand for texts; a
 * wrong "new" costs time and nothing else.
 */
export class ToldMetadata {
  readonly #contents: Interner
  /** Of each tenant, the number of what was said with a series. */
  readonly #ofTenants = new Map<string, Int32Array>()
  #tenant = ''
  #told: Int32Array = new Int32Array(0)
  #day = 0
  #seriesGeneration = 0
  #symbolGeneration = 0
  readonly #key = new Uint8Array(12)
  readonly #keyNumbers = new Uint32Array(this.#key.buffer)

  constructor(seed: number) {
    this.#contents = new Interner(seed, false)
  }

  /** Says whose message follows, and on which day (days since the epoch) it came: once a day everything is new. */
  begin(tenant: string, day: number): void {
    if (day !== this.#day || this.#contents.size > MAX_KNOWN) this.forget()
    this.#day = day
    this.#tenant = tenant
    this.#told = this.#ofTenants.get(tenant) ?? new Int32Array(0)
  }

  /** Everything is new: what was said may not have been written. */
  forget(): void {
    this.#ofTenants.clear()
    this.#contents.clear()
    this.#told = new Int32Array(0)
  }

  /** Says which numbers of series and of texts the following are: numbers of another generation mean something else. */
  useGenerations(series: number, symbols: number): void {
    if (series !== this.#seriesGeneration || symbols !== this.#symbolGeneration) this.forget()
    this.#seriesGeneration = series
    this.#symbolGeneration = symbols
  }

  /** Whether this was not said with the series the last time; from now on it was. */
  isNew(series: number, type: number, help: number, unit: number): boolean {
    this.#keyNumbers[0] = type
    this.#keyNumbers[1] = help
    this.#keyNumbers[2] = unit
    const content = this.#contents.intern(this.#key, 0, this.#key.length)
    if (this.#told[series] === content) return false
    if (series >= this.#told.length) this.#grow(series)
    this.#told[series] = content
    return true
  }

  #grow(series: number): void {
    const told = new Int32Array(Math.max(1024, 2 ** Math.ceil(Math.log2(series + 1))))
    told.set(this.#told)
    this.#told = told
    this.#ofTenants.set(this.#tenant, told)
  }
}
