import type { WriteVersion } from './write-version.ts'

/** How a message of remote write was taken: what of it is stored, and what was refused. */
export interface WriteResult {
  /** Samples that are numbers, or ends of series. */
  readonly samples: number
  /** Samples that are native histograms. */
  readonly histograms: number
  readonly exemplars: number
  /** Samples and histograms that were refused. */
  readonly rejected: number
  /** Why, for the sender's log; empty when nothing was. */
  readonly message: string
}

/** Takes messages of remote write, already decompressed. */
export interface WriteSink {
  /**
   * Resolves when everything that was accepted is durable in the journal. Throws AppError: MALFORMED_MESSAGE (nothing was taken), JOURNAL_FULL,
   * JOURNAL_UNWRITABLE, OVERLOADED (try again later). The bytes are not looked at any more when the call has returned.
   */
  acceptWrite(version: WriteVersion, tenant: string, message: Uint8Array): Promise<WriteResult>
}
