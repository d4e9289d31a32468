import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Storage } from '../../storage/storage.ts'
import { readKnownSeries } from './read-known-series.ts'
import type { KnownSeries } from './series-limiter.ts'

/** What a teller works with. */
export interface KnownSeriesTellerOptions {
  readonly storage: Pick<Storage, 'selectColumns'>
  readonly clock: Clock
  readonly logger: Logger
  /** Whether ClickHouse has all that was in the journal at the start: it may tell of series. */
  readonly isLoaded: () => boolean
  readonly tell: (known: KnownSeries) => void
  /** Between tries, milliseconds; default one second. */
  readonly retryMs?: number
}

/** Reads the series that tenants had before. */
export interface KnownSeriesTeller {
  /** Reads those of a tenant and tells them, as soon as ClickHouse can say. */
  ask(tenant: string): void
  /** Reads no more. */
  close(): void
}

const RETRY_MS = 1000
const MAX_RETRY_MS = 60_000

/** Makes a teller. */
export function createKnownSeriesTeller(options: KnownSeriesTellerOptions): KnownSeriesTeller {
  const { storage, clock, logger } = options
  const timers = new Set<NodeJS.Timeout>()
  let isClosed = false

  function later(tenant: string, waitMs: number, next: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      void attempt(tenant, next)
    }, waitMs)
    timer.unref()
    timers.add(timer)
  }

  async function attempt(tenant: string, waitMs: number): Promise<void> {
    if (isClosed) return
    if (!options.isLoaded()) {
      later(tenant, waitMs, waitMs)
      return
    }
    try {
      const known = await readKnownSeries(storage, tenant, clock.now())
      if (!isClosed) options.tell(known)
    } catch (error) {
      if (isClosed) return
      logger.warn(
        { event: 'known_series_unread', tenant },
        `Series limits are not in force yet: ${errorMessage(error)}`,
      )
      later(tenant, waitMs, Math.min(MAX_RETRY_MS, waitMs * 2))
    }
  }

  return {
    ask: (tenant) => void attempt(tenant, options.retryMs ?? RETRY_MS),
    close: () => {
      isClosed = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
