import { describe, expect, test } from 'vitest'
import type { GroupRunner } from './create-group-runner.ts'
import { slotOffset } from './group-slot.ts'
import { runGroupLoop } from './run-group-loop.ts'

const MINUTE = 60_000
const GROUP = { name: 'g', file: 'r.yml', intervalMs: null, queryOffsetMs: null, limit: 0, rules: [] }
const OFFSET = slotOffset(GROUP, MINUTE)
/** A time that is a slot. */
const SLOT = 1000 * MINUTE + OFFSET

/** A loop over a runner that only notes when it was asked; `durations`: how long its evaluations take in clock time, milliseconds. */
function world(startMs: number, durations: readonly number[] = []) {
  let nowMs = startMs
  let timer: { callback: () => void; at: number } | null = null
  const evaluated: number[] = []
  const missed: number[] = []
  const state = { isStopping: false }
  const runner = {
    group: GROUP,
    intervalMs: MINUTE,
    evaluate: async (timeMs: number, signal?: AbortSignal) => {
      nowMs += durations[evaluated.length] ?? 0
      evaluated.push((timeMs - SLOT) / MINUTE)
      state.isStopping = signal?.aborted === true
    },
    miss: (slots: number) => void missed.push(slots),
  } as unknown as GroupRunner
  const loop = runGroupLoop({
    runner,
    clock: { now: () => nowMs, monotonic: () => nowMs },
    startTimer: (callback, ms) => {
      const own = { callback, at: nowMs + ms }
      timer = own
      return () => {
        if (timer === own) timer = null
      }
    },
    onIteration: () => {},
  })
  /** Runs what is due until a time has come. */
  const run = async (untilMs: number) => {
    for (;;) {
      const due = timer as { callback: () => void; at: number } | null
      if (due === null || due.at > untilMs) break
      timer = null
      nowMs = Math.max(nowMs, due.at)
      due.callback()
      await new Promise((resolve) => setImmediate(resolve))
    }
    nowMs = Math.max(nowMs, untilMs)
  }
  const jump = (ms: number) => {
    nowMs += ms
    // What a timer waits for does not follow the wall clock.
    if (timer !== null) timer.at += ms
  }
  return { loop, run, jump, evaluated, missed, hasTimer: () => timer !== null, now: () => nowMs }
}

describe('runGroupLoop', () => {
  test('evaluates at every slot, first at the next one', async () => {
    const { run, evaluated, missed } = world(SLOT + 10_000)
    await run(SLOT + 3.5 * MINUTE)
    expect([evaluated, missed]).toEqual([[1, 2, 3], []])
  })

  test('never overlaps: what an evaluation takes too long for is missed', async () => {
    const { run, evaluated, missed } = world(SLOT, [0, 150_000])
    await run(SLOT + 6.5 * MINUTE)
    expect([evaluated, missed]).toEqual([[1, 2, 4, 5, 6], [1]])
  })

  test('a clock that is set forward: slots are missed, not made up for', async () => {
    const { run, jump, evaluated, missed } = world(SLOT)
    await run(SLOT + 1.5 * MINUTE)
    jump(60 * MINUTE)
    await run(SLOT + 62.5 * MINUTE)
    expect([evaluated, missed]).toEqual([[1, 61, 62], [59]])
  })

  test('a clock that is set back by an hour: evaluations go on at its time', async () => {
    const { run, jump, evaluated, missed, now } = world(SLOT)
    await run(SLOT + 1.5 * MINUTE)
    jump(-60 * MINUTE)
    await run(now() + 2 * MINUTE)
    expect(missed).toEqual([])
    expect(evaluated).toEqual([1, -59, -58, -57])
  })

  test('stops', async () => {
    const { loop, run, evaluated, hasTimer } = world(SLOT)
    await run(SLOT + 1.5 * MINUTE)
    await loop.stop()
    expect(hasTimer()).toBe(false)
    await run(SLOT + 10 * MINUTE)
    expect(evaluated).toEqual([1])
    expect(loop.lastSlotMs()).toBe(SLOT + MINUTE)
  })
})
