import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { labelsFrom } from '../model/labels.ts'
import { type AlertInstance, type AlertStates, needsSending, nextAlertState } from './next-alert-state.ts'

const MINUTE = 60_000
const ELEMENT = { labels: labelsFrom([['alertname', 'Down']]), annotations: [], value: 1 }

/** Runs a rule over evaluations one minute apart; `conditions`: whether the element is there. Returns the states, `-` for none. */
function history(conditions: string, times: { holdMs: number; keepFiringForMs: number }): string[] {
  let states: AlertStates = new Map()
  return [...conditions].map((condition, index) => {
    states = nextAlertState(states, condition === '1' ? [ELEMENT] : [], times, index * MINUTE)
    return [...states.values()][0]?.state ?? '-'
  })
}

describe('nextAlertState', () => {
  const [p, f, i] = ['pending', 'firing', 'inactive']
  test.each([
    ['fires at once without for', '110', 0, 0, [f, f, i]],
    ['waits for `for`', '1111', 2, 0, [p, p, f, f]],
    ['forgets a pending alert that goes', '1101', 2, 0, [p, p, '-', p]],
    ['keeps firing', '11000', 0, 2, [f, f, f, f, i]],
    ['counts keep_firing_for anew after the condition was back', '1010001', 0, 2, [f, f, f, f, f, i, f]],
    ['is a new alert after it ended', '1101', 1, 0, [p, f, i, p]],
    [
      'is forgotten 15 minutes after its end',
      '10000000000000000000',
      0,
      0,
      [f, ...Array(16).fill(i), '-', '-', '-'],
    ],
  ])('%s', (_title, conditions, hold, keep, expected) => {
    expect(history(conditions, { holdMs: hold * MINUTE, keepFiringForMs: keep * MINUTE })).toEqual(expected)
  })

  test('updates value and annotations, not the times', () => {
    const times = { holdMs: MINUTE, keepFiringForMs: 0 }
    const first = nextAlertState(new Map(), [ELEMENT], times, 0)
    const second = nextAlertState(
      first,
      [{ ...ELEMENT, annotations: ['summary', 'worse'], value: 2 }],
      times,
      MINUTE,
    )
    expect([...second.values()]).toEqual([
      {
        labels: ELEMENT.labels,
        annotations: ['summary', 'worse'],
        value: 2,
        state: 'firing',
        activeAtMs: 0,
        firedAtMs: MINUTE,
        resolvedAtMs: null,
        keepFiringSinceMs: null,
        lastSentAtMs: null,
      },
    ])
  })

  test('goes back to pending when `for` has become longer', () => {
    const fired = nextAlertState(new Map(), [ELEMENT], { holdMs: 0, keepFiringForMs: 0 }, 0)
    const longer = nextAlertState(fired, [ELEMENT], { holdMs: 5 * MINUTE, keepFiringForMs: 0 }, MINUTE)
    expect([...longer.values()][0]).toMatchObject({ state: 'pending', activeAtMs: 0, firedAtMs: null })
  })

  test('a clock that goes back neither ends nor fires an alert', () => {
    const times = { holdMs: 5 * MINUTE, keepFiringForMs: 0 }
    const hour = 60 * MINUTE
    let states: AlertStates = nextAlertState(new Map(), [ELEMENT], times, hour)
    states = nextAlertState(states, [ELEMENT], times, 0)
    expect([...states.values()][0]).toMatchObject({ state: 'pending', activeAtMs: 0 })
    states = nextAlertState(states, [ELEMENT], times, 5 * MINUTE)
    expect([...states.values()][0]).toMatchObject({ state: 'firing' })
    states = nextAlertState(states, [ELEMENT], times, -hour)
    expect([...states.values()][0]).toMatchObject({ state: 'firing', firedAtMs: 5 * MINUTE })
  })

  test('agrees with a model that looks at the whole history', () => {
    const bits = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 })
    const steps = fc.integer({ min: 0, max: 5 })
    fc.assert(
      fc.property(bits, steps, steps, (conditions, hold, keep) => {
        const times = { holdMs: hold * MINUTE, keepFiringForMs: keep * MINUTE }
        let states: AlertStates = new Map()
        for (const [index, condition] of conditions.entries()) {
          states = nextAlertState(states, condition ? [ELEMENT] : [], times, index * MINUTE)
          const state = [...states.values()][0]?.state ?? 'none'
          expect(state === 'inactive' ? 'none' : state).toBe(
            modelState(conditions.slice(0, index + 1), hold, keep),
          )
        }
      }),
      { numRuns: 500 },
    )
  })

  test('alerts of different labels do not touch each other', () => {
    const names = ['a', 'b', 'c']
    const round = fc.subarray(names)
    fc.assert(
      fc.property(fc.array(round, { maxLength: 20 }), (rounds) => {
        const times = { holdMs: 2 * MINUTE, keepFiringForMs: MINUTE }
        let together: AlertStates = new Map()
        const alone = new Map<string, AlertStates>(names.map((name) => [name, new Map()]))
        const element = (name: string) => ({ ...ELEMENT, labels: ['alertname', name] })
        for (const [index, present] of rounds.entries()) {
          together = nextAlertState(together, present.map(element), times, index * MINUTE)
          for (const [name, states] of alone) {
            const own = present.includes(name) ? [element(name)] : []
            alone.set(name, nextAlertState(states, own, times, index * MINUTE))
          }
        }
        const merged = new Map([...alone.values()].flatMap((states) => [...states]))
        expect(new Map([...together].sort())).toEqual(new Map([...merged].sort()))
      }),
    )
  })
})

/**
 * The state after the last of the conditions, found without steps of state: split the history into episodes and ask of the last one how long its
 * condition held, and how long it has been gone.
 */
function modelState(conditions: readonly boolean[], hold: number, keep: number): string {
  // An episode begins where the condition comes and there is none; it ends where a gap is not bridged.
  let start = -1
  let fired = false
  let gap = 0
  for (const [index, condition] of conditions.entries()) {
    if (condition) {
      if (start < 0) start = index
      if (index - start >= hold) fired = true
      gap = 0
      continue
    }
    if (start < 0) continue
    gap += 1
    const isBridged = fired && gap <= keep
    if (!isBridged) {
      start = -1
      fired = false
    }
  }
  if (start < 0) return 'none'
  return fired ? 'firing' : 'pending'
}

describe('needsSending', () => {
  const alert: AlertInstance = {
    ...ELEMENT,
    state: 'firing',
    activeAtMs: 0,
    firedAtMs: 0,
    resolvedAtMs: null,
    keepFiringSinceMs: null,
    lastSentAtMs: 0,
  }
  test.each([
    ['never a pending alert', { state: 'pending' as const, lastSentAtMs: null }, 10 * MINUTE, false],
    ['a new one at once', { lastSentAtMs: null }, 0, true],
    ['not again too soon', {}, MINUTE, false],
    ['again after the delay', {}, MINUTE + 1, true],
    ['its end at once', { state: 'inactive' as const, resolvedAtMs: 30_000 }, 30_000, true],
    [
      'its end not again too soon',
      { state: 'inactive' as const, resolvedAtMs: 30_000, lastSentAtMs: 30_000 },
      60_000,
      false,
    ],
    ['when it was told in the future', { lastSentAtMs: 10 * MINUTE }, 0, true],
  ])('tells %s', (_title, change, nowMs, expected) => {
    expect(needsSending({ ...alert, ...change }, nowMs, MINUTE)).toBe(expected)
  })
})
