import type { Interner } from '../native/interner.ts'

/** The interner numbers of one-letter texts, given the letter's character code. */
export class LetterNumbers {
  readonly #interner: Interner
  readonly #numbers = new Int32Array(128)
  #generation = -1

  constructor(interner: Interner) {
    this.#interner = interner
  }

  /** The number of the letter with character code `code` (below 128). */
  of(code: number): number {
    if (this.#generation !== this.#interner.generation) {
      this.#numbers.fill(0)
      this.#generation = this.#interner.generation
    }
    const known = this.#numbers[code] as number
    if (known !== 0) return known
    const number = this.#interner.internText(String.fromCharCode(code))
    this.#numbers[code] = number
    return number
  }
}
