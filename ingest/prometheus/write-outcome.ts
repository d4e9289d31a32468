import { DecodeOutcome, type RejectReason } from '../otlp/decode-outcome.ts'

/** What became of one message of remote write. Accepted and rejected ones are samples and histograms. */
export class WriteOutcome extends DecodeOutcome {
  samples = 0
  histograms = 0
  exemplars = 0
  /** Rows of metadata that were written. */
  metadata = 0
  #detail = ''

  /** Counts samples that were refused; of the first, `detail` is asked which it was. */
  refuse(reason: RejectReason, count: number, detail: () => string): void {
    this.reject(reason, count)
    if (this.#detail === '') this.#detail = detail()
  }

  /** Whether nothing was written. */
  get isEmpty(): boolean {
    return this.accepted === 0 && this.exemplars === 0 && this.metadata === 0
  }

  override message(items: string): string {
    const message = super.message(items)
    return this.#detail === '' ? message : `${message} (first: ${this.#detail})`
  }
}
