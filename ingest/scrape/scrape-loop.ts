import { slotAt } from '../../model/slot.ts'
import type { Clock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import type { ScrapeTarget } from './build-targets.ts'
import type { SampleToSend } from './encode-samples.ts'
import type { PageFetcher } from './fetch-page.ts'
import type { Relabel } from './relabel.ts'
import {
  EMPTY_MEMORY,
  endingsOf,
  type ScrapeCounts,
  samplesOfPage,
  type TargetMemory,
} from './scrape-once.ts'
import { reportEnd, reportOf } from './scrape-report.ts'

/** How the last scrape of a target went. */
export interface TargetHealth {
  readonly health: 'unknown' | 'up' | 'down'
  /** Why it is down; '' when it is not. */
  readonly lastError: string
  /** Epoch milliseconds; null: not yet. */
  readonly lastScrapeMs: number | null
  readonly lastDurationMs: number
}

/** What a loop works with. */
export interface ScrapeLoopOptions {
  readonly target: ScrapeTarget
  readonly relabel: Relabel
  readonly fetcher: PageFetcher
  readonly clock: Clock
  /** Resolves when the samples are durable; throws when they are not taken. */
  readonly write: (samples: readonly SampleToSend[]) => Promise<void>
  /** Samples could not be written: they are lost, and why. */
  readonly onLost: (target: ScrapeTarget, samples: number, reason: string) => void
}

/** Scrapes one target for as long as it runs. */
export interface ScrapeLoop {
  readonly target: ScrapeTarget
  health(): TargetHealth
  /** Ends the loop; a running scrape is given up. `isGone`: the target is no longer wanted, so its series end. */
  stop(isGone: boolean): Promise<void>
}

/** A timer that is so little late counts as on time, so that a series' samples are evenly spaced and pack well. */
const ALIGNED_WITHIN_MS = 2

/** Starts to scrape: at the multiples of the interval plus the target's offset; slots that went by are left out. */
export function startScrapeLoop(options: ScrapeLoopOptions): ScrapeLoop {
  const { target, clock } = options
  const stopping = new AbortController()
  let memory: TargetMemory = EMPTY_MEMORY
  let health: TargetHealth = { health: 'unknown', lastError: '', lastScrapeMs: null, lastDurationMs: 0 }
  let wake = (): void => undefined
  let hasReported = false

  async function sleepUntil(timeMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    // A clock that was set forward or back is noticed within an interval.
    const timer = setTimeout(resolve, Math.min(Math.max(0, timeMs - clock.now()), target.intervalMs))
    wake = resolve
    await promise
    clearTimeout(timer)
  }

  async function scrape(slotMs: number): Promise<void> {
    const startedMs = clock.now()
    const timestampMs = Math.abs(startedMs - slotMs) <= ALIGNED_WITHIN_MS ? slotMs : startedMs
    const started = clock.monotonic()
    let result: { samples: readonly SampleToSend[]; memory: TargetMemory; counts: ScrapeCounts | null }
    let lastError = ''
    try {
      const page = await options.fetcher.fetch(target, stopping.signal)
      result = samplesOfPage(target, options.relabel, page, memory, timestampMs)
    } catch (error) {
      lastError = errorMessage(error)
      const alive = new Map()
      const samples = endingsOf(memory, alive, timestampMs)
      result = { samples, memory: { series: memory.series, alive }, counts: null }
    }
    if (stopping.signal.aborted) return
    const lastDurationMs = clock.monotonic() - started
    health = { health: lastError === '' ? 'up' : 'down', lastError, lastScrapeMs: startedMs, lastDurationMs }
    await write([...result.samples, ...reportOf(target.labels, timestampMs, lastDurationMs, result.counts)])
    // Only now: what was not written must be ended by the next scrape all the same.
    memory = result.memory
    hasReported = true
  }

  async function write(samples: readonly SampleToSend[]): Promise<void> {
    try {
      await options.write(samples)
    } catch (error) {
      options.onLost(target, samples.length, errorMessage(error))
      throw error
    }
  }

  async function run(): Promise<void> {
    let lastSlot = slotAt(clock.now(), target.intervalMs, target.offsetMs)
    while (!stopping.signal.aborted) {
      const slot = nextSlot(clock.now(), lastSlot, target)
      if (slot > clock.now()) {
        await sleepUntil(slot)
        continue
      }
      lastSlot = slot
      // A scrape whose samples were not taken has been told of; the next one comes in its time.
      await scrape(slot).catch(() => undefined)
    }
  }

  const running = run()
  return {
    target,
    health: () => health,
    stop: async (isGone) => {
      stopping.abort()
      wake()
      await running
      if (!isGone || !hasReported) return
      const now = clock.now()
      await write([...endingsOf(memory, new Map(), now), ...reportEnd(target.labels, now)]).catch(
        () => undefined,
      )
    },
  }
}

/**
 * When a target is scraped next, the slot `lastMs` having been used: at once when a slot has come since, slots that went by left out. A clock
 * that went back by more than an interval starts anew from its time.
 */
export function nextSlot(
  nowMs: number,
  lastMs: number,
  target: Pick<ScrapeTarget, 'intervalMs' | 'offsetMs'>,
): number {
  const current = slotAt(nowMs, target.intervalMs, target.offsetMs)
  if (current > lastMs) return current
  return lastMs - current > target.intervalMs ? current + target.intervalMs : lastMs + target.intervalMs
}
