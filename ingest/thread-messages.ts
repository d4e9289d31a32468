import type { LogLevel } from '../runtime/logger.ts'
import type { TlsFileOptions } from '../runtime/tls.ts'
import type { AccessControlOptions } from '../runtime/token-file.ts'
import type { IngestConfig } from './config.ts'
import type { Signal } from './export-sink.ts'
import type { Position } from './journal/position.ts'
import type { WriteAnswer, WriteRequest } from './prometheus/answer-write.ts'
import type { ScrapeConfig } from './scrape/config.ts'
import type { ScrapeView } from './scrape/start-scraper.ts'
import type { KnownSeries } from './series-limit/series-limiter.ts'

/** What the receiver thread is started with: plain data. */
export interface ReceiverThreadData {
  readonly config: IngestConfig
  readonly scrape: ScrapeConfig
  readonly programVersion: string
  readonly journalDirectory: string
  readonly journal: string
  readonly firstSegment: number
  /** Bytes already pending when the journal was opened. */
  readonly pendingBytes: number
  readonly maxAgeMs: Readonly<Record<Signal, number>>
  readonly access: AccessControlOptions
  readonly tls: TlsFileOptions | null
  readonly logLevel: LogLevel
  readonly isLogReadable: boolean
}

/** From the receiver thread to the main thread. */
export type FromReceiverThread =
  | { readonly type: 'listening'; readonly otlpHttpUrl: string; readonly otlpGrpcAddress: string }
  /** The thread could not start, or cannot go on. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'committed'
      readonly end: Position
      readonly bytes: number
      readonly acceptedAtMs: number
    }
  /** Whether the thread has nearly no time left. */
  | { readonly type: 'busy'; readonly isBusy: boolean }
  /** Whether the journal took the last write. */
  | { readonly type: 'journal-state'; readonly failure: string | null }
  | { readonly type: 'metrics'; readonly id: number; readonly metrics: object[] }
  /** `failure`: why everything stayed as it was. */
  | { readonly type: 'reloaded'; readonly id: number; readonly failure: string | null }
  | { readonly type: 'targets'; readonly id: number; readonly targets: ScrapeView }
  | { readonly type: 'written'; readonly id: number; readonly answer: WriteAnswer }
  /** The series that a tenant had before are wanted. */
  | { readonly type: 'series-wanted'; readonly tenant: string }
  | { readonly type: 'closed' }

/** What the receiver thread reads again when it is asked to. */
export type ReceiverPart = 'tokens' | 'certificates' | 'scrape jobs'

/** From the main thread to the receiver thread. */
export type ToReceiverThread =
  /** So much of the journal is in ClickHouse since the thread was started. */
  | { readonly type: 'loaded'; readonly bytes: number }
  /** What was wanted; the numbers are the thread's from now on. */
  | { readonly type: 'known-series'; readonly known: KnownSeries }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'reload'; readonly id: number; readonly part: ReceiverPart }
  /** What is scraped, and how that goes. */
  | { readonly type: 'targets'; readonly id: number }
  /** A request of remote write that came on another listener. Its body is the thread's from now on. */
  | { readonly type: 'write'; readonly id: number; readonly request: WriteRequest }
  | { readonly type: 'close'; readonly graceMs: number }
