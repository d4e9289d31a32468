import type { ExportResult, ExportSink, Signal } from '../../ingest/export-sink.ts'

/** One message that a {@link RecordingSink} was given; the bytes are a copy. */
export interface RecordedMessage {
  readonly signal: Signal
  readonly tenant: string
  readonly message: Buffer
}

/** A sink that remembers what it was given and answers what it is told to. */
export interface RecordingSink extends ExportSink {
  readonly messages: RecordedMessage[]
  /** What `accept` does from now on: a result, an error to throw, or a function that is called. */
  answer: ExportResult | Error | (() => Promise<ExportResult>)
}

/** Makes a sink that takes everything. */
export function createRecordingSink(): RecordingSink {
  const messages: RecordedMessage[] = []
  return {
    messages,
    answer: { rejected: 0, message: '' },
    async accept(signal, tenant, message) {
      messages.push({ signal, tenant, message: Buffer.from(message) })
      if (this.answer instanceof Error) throw this.answer
      return typeof this.answer === 'function' ? await this.answer() : this.answer
    },
  }
}
