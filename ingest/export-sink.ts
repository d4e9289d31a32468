/** The three signals of OTLP. */
export type Signal = 'traces' | 'metrics' | 'logs'

/** How an export request was taken. `rejected` counts spans, data points or log records (OTLP partial success). */
export interface ExportResult {
  readonly rejected: number
  /** Why, for the sender's log: the reasons with their counts; empty when nothing is to be said. */
  readonly message: string
}

/**
 * Takes decoded-to-bytes OTLP export requests: protobuf `Export…ServiceRequest` messages, already decompressed.
 */
export interface ExportSink {
  /**
   * Resolves when everything that was accepted is durable in the journal.
   * Throws AppError: MALFORMED_MESSAGE (nothing was taken), JOURNAL_FULL, JOURNAL_UNWRITABLE, OVERLOADED, SHUTTING_DOWN (try again later).
   * The bytes may be reused by the caller once the promise is settled.
   */
  accept(signal: Signal, tenant: string, message: Uint8Array): Promise<ExportResult>
}
