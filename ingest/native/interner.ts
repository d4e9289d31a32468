import { ByteBuffer } from './byte-buffer.ts'
import { isAsciiRange, repairUtf8 } from './utf8.ts'

/**
 * Gives equal byte strings the same small number. Strings are valid UTF-8 afterwards: ill-formed input gets the number
 * of its repaired form. Numbers hold until {@link Interner.clear}; 0 is the empty string.
 */
export class Interner {
  /** How many strings there are: numbers run from 0 to size - 1. */
  size = 0
  /** Where each string starts in `arena.bytes`; `starts[id + 1]` is its end. */
  starts: Int32Array
  readonly arena = new ByteBuffer(1 << 16)
  /** Grows by one with every {@link clear}: what was derived from older numbers is void. */
  generation = 0
  #hashes: Int32Array
  #table: Int32Array
  readonly #seed: number
  readonly #isText: boolean

  /** `seed` makes collisions unpredictable to senders; with `isText` false the bytes are kept as they are. */
  constructor(seed: number, isText = true) {
    this.#seed = seed | 0
    this.#isText = isText
    this.starts = new Int32Array(1025)
    this.#hashes = new Int32Array(1024)
    this.#table = new Int32Array(4096)
    this.clear()
  }

  /** Forgets everything but the empty string. */
  clear(): void {
    this.generation++
    this.size = 1
    this.arena.reset(1 << 20)
    this.starts[0] = 0
    this.starts[1] = 0
    if (this.#table.length > 1 << 16) {
      this.#table = new Int32Array(4096)
      this.#hashes = new Int32Array(1024)
      this.starts = new Int32Array(1025)
    } else {
      this.#table.fill(0)
    }
  }

  /** The number of `bytes[start, end)`. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return 0
    const hash = hashBytes(bytes, start, end, this.#seed)
    const table = this.#table
    const mask = table.length - 1
    let slot = hash & mask
    for (;;) {
      // The table holds id + 1, so that 0 is a free slot.
      const entry = table[slot] as number
      if (entry === 0) return this.#add(bytes, start, end, hash)
      const id = entry - 1
      if (this.#hashes[id] === hash && this.#isEqual(id, bytes, start, end)) return id
      slot = (slot + 1) & mask
    }
  }

  /** The same as {@link Interner.intern}, sooner when the answer is `guess`: what stood in the same place before. */
  internLike(bytes: Uint8Array, start: number, end: number, guess: number): number {
    return guess < this.size && this.#isEqual(guess, bytes, start, end)
      ? guess
      : this.intern(bytes, start, end)
  }

  /** The number of a text. */
  internText(text: string): number {
    const bytes = Buffer.from(text, 'utf8')
    return this.intern(bytes, 0, bytes.length)
  }

  /** The text of a number. */
  text(id: number): string {
    const start = this.starts[id] as number
    const end = this.starts[id + 1] as number
    return Buffer.from(this.arena.bytes.buffer, this.arena.bytes.byteOffset + start, end - start).toString(
      'utf8',
    )
  }

  #isEqual(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[id] as number
    const size = end - start
    if ((this.starts[id + 1] as number) - from !== size) return false
    const arena = this.arena.bytes
    for (let index = 0; index < size; index++) {
      if (arena[from + index] !== bytes[start + index]) return false
    }
    return true
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    if (this.#isText && !isAsciiRange(bytes, start, end)) {
      const repaired = repairUtf8(bytes, start, end)
      if (repaired !== null) return this.intern(repaired, 0, repaired.length)
    }
    const id = this.size
    if (id >= this.#hashes.length) this.#growIds()
    this.size++
    this.arena.pushBytes(bytes, start, end)
    this.starts[id + 1] = this.arena.length
    this.#hashes[id] = hash
    if (this.size * 2 > this.#table.length) this.#rehash(this.#table.length * 2)
    else this.#place(id, hash)
    return id
  }

  #place(id: number, hash: number): void {
    const table = this.#table
    const mask = table.length - 1
    let slot = hash & mask
    while (table[slot] !== 0) slot = (slot + 1) & mask
    table[slot] = id + 1
  }

  #growIds(): void {
    const hashes = new Int32Array(this.#hashes.length * 2)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    const starts = new Int32Array(hashes.length + 1)
    starts.set(this.starts)
    this.starts = starts
  }

  #rehash(size: number): void {
    this.#table = new Int32Array(size)
    for (let id = 1; id < this.size; id++) this.#place(id, this.#hashes[id] as number)
  }
}

/** MurmurHash3 (x86, 32 bits) of `bytes[start, end)`: four bytes a step, which a byte-wise hash is too slow for. */
function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed
  let at = start
  for (const last = end - 4; at <= last; at += 4) {
    let part =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    part = Math.imul(part, 0xcc9e2d51)
    part = Math.imul((part << 15) | (part >>> 17), 0x1b873593)
    hash ^= part
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let shift = 0; at < end; at++, shift += 8) rest |= (bytes[at] as number) << shift
  rest = Math.imul(rest, 0xcc9e2d51)
  hash ^= Math.imul((rest << 15) | (rest >>> 17), 0x1b873593)
  hash ^= end - start
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
