import { slotAt } from '../model/slot.ts'
import type { Clock } from '../runtime/clock.ts'
import type { GroupRunner } from './create-group-runner.ts'
import { dueSlot, slotOffset } from './group-slot.ts'

/** Calls back once after so many milliseconds; returns what calls it off. */
export type StartTimer = (callback: () => void, ms: number) => () => void

/** What a loop is run with. */
export interface GroupLoopOptions {
  readonly runner: GroupRunner
  readonly clock: Clock
  readonly startTimer: StartTimer
  /** Called after each evaluation with the slots that went by before it. */
  readonly onIteration: (missed: number) => void
}

/** A loop that runs. */
export interface GroupLoop {
  /** The slot evaluated last, or that in which the loop began, epoch milliseconds. */
  lastSlotMs(): number
  /** Stops and waits for a running evaluation, whose queries are called off. */
  stop(): Promise<void>
}

/** How long the loop sleeps at most, milliseconds: so soon it notices that the clock was set. */
const MAX_SLEEP_MS = 5000

/**
 * Evaluates a group at its slots, first at the next one after now (or after `lastSlotMs`). Evaluations of a group never overlap: slots that go by
 * meanwhile are missed.
 */
export function runGroupLoop(options: GroupLoopOptions, lastSlotMs?: number): GroupLoop {
  const { runner, clock, startTimer, onIteration } = options
  const { intervalMs } = runner
  const offsetMs = slotOffset(runner.group, intervalMs)
  const stopping = new AbortController()
  let lastMs = lastSlotMs ?? slotAt(clock.now(), intervalMs, offsetMs)
  let running: Promise<void> = Promise.resolve()
  let cancel = () => {}

  const sleep = (): void => {
    if (stopping.signal.aborted) return
    const untilNextMs = slotAt(clock.now(), intervalMs, offsetMs) + intervalMs - clock.now()
    cancel = startTimer(wake, Math.max(1, Math.min(untilNextMs, MAX_SLEEP_MS)))
  }
  const wake = (): void => {
    const slot = dueSlot(clock.now(), lastMs, intervalMs, offsetMs)
    if (slot === null) {
      sleep()
      return
    }
    lastMs = slot.timeMs
    if (slot.missed > 0) runner.miss(slot.missed)
    running = runner.evaluate(slot.timeMs, stopping.signal).then(() => {
      onIteration(slot.missed)
      sleep()
    })
  }
  sleep()
  return {
    lastSlotMs: () => lastMs,
    async stop() {
      stopping.abort()
      cancel()
      await running
    },
  }
}
