import { AppError } from '../../runtime/errors.ts'
import { Interner } from '../native/interner.ts'

/** More symbols, or bytes of them, than this are learned anew between two messages. */
const MAX_KNOWN = 1_000_000
const MAX_BYTES = 64 << 20
const FIRST = 1024
/** Room for so many symbols is kept from one message to the next. */
const KEEP = 1 << 17

/** The symbols of one message of remote write 2.0, and numbers for their texts that hold across messages. */
export class SymbolTable {
  count = 0
  /** Where symbol `n` stands in the message. */
  starts = new Int32Array(FIRST)
  ends = new Int32Array(FIRST)
  /** Of each symbol its text's number, plus one; 0: not looked up yet. */
  #numbers = new Int32Array(FIRST)
  readonly #known: Interner
  /** The text that was looked up behind this one the last time: a sender's order hardly changes. */
  #next = new Int32Array(1024)
  #previous = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(seed: number) {
    this.#known = new Interner(seed, false)
  }

  /** Grows by one when all numbers become void. */
  get generation(): number {
    return this.#known.generation
  }

  /** Starts with no symbols, of another message. */
  begin(bytes: Uint8Array): void {
    if (this.#known.size > MAX_KNOWN || this.#known.arena.length > MAX_BYTES) {
      this.#known.clear()
      this.#next = new Int32Array(1024)
    }
    if (this.starts.length > KEEP) {
      this.starts = new Int32Array(FIRST)
      this.ends = new Int32Array(FIRST)
      this.#numbers = new Int32Array(FIRST)
    }
    this.#bytes = bytes
    this.count = 0
    this.#previous = 0
  }

  /** Adds the next symbol. */
  add(start: number, end: number): void {
    if (this.count === this.starts.length) this.#grow()
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.#numbers[this.count] = 0
    this.count++
  }

  /** The number of a symbol's text. Throws MALFORMED_MESSAGE when there is no such symbol. */
  number(ref: number): number {
    this.#check(ref)
    const known = this.#numbers[ref] as number
    if (known !== 0) return known - 1
    const number = this.#intern(this.starts[ref] as number, this.ends[ref] as number)
    this.#numbers[ref] = number + 1
    return number
  }

  #intern(start: number, end: number): number {
    const guess = this.#next[this.#previous] as number
    const number = this.#known.internLike(this.#bytes, start, end, guess)
    if (number !== guess) {
      if (number >= this.#next.length) this.#next = grown(this.#next, number)
      this.#next[this.#previous] = number
    }
    this.#previous = number
    return number
  }

  /** Bytes of a symbol. Throws MALFORMED_MESSAGE when there is no such symbol. */
  size(ref: number): number {
    this.#check(ref)
    return (this.ends[ref] as number) - (this.starts[ref] as number)
  }

  /** A symbol's text. Throws MALFORMED_MESSAGE when there is no such symbol. */
  text(ref: number): string {
    this.#check(ref)
    const start = this.starts[ref] as number
    const { buffer, byteOffset } = this.#bytes
    return Buffer.from(buffer, byteOffset + start, (this.ends[ref] as number) - start).toString('utf8')
  }

  #check(ref: number): void {
    if (ref < this.count) return
    throw new AppError(
      'MALFORMED_MESSAGE',
      `Cannot decode the protobuf message: it refers to symbol ${ref} and has ${this.count}`,
    )
  }

  #grow(): void {
    this.starts = grown(this.starts, this.count)
    this.ends = grown(this.ends, this.count)
    this.#numbers = grown(this.#numbers, this.count)
  }
}

/** The same numbers with room for index `needed`. */
function grown(numbers: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(numbers.length * 2, needed + 1))
  larger.set(numbers)
  return larger
}
