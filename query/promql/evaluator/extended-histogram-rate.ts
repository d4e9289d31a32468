import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../../../model/float-histogram.ts'
import {
  addHistograms,
  type HistogramOutcome,
  subtractHistograms,
} from '../../../model/histogram/add-histograms.ts'
import { compactHistogram } from '../../../model/histogram/compact-histogram.ts'
import { isCounterReset } from '../../../model/histogram/is-counter-reset.ts'
import { divideHistogram, scaleHistogram } from '../../../model/histogram/scale-histogram.ts'
import { annotationTexts } from './annotation-texts.ts'
import { boundSamples, type ExtendedBounds } from './bound-samples.ts'
import type { HistogramWindows, RangeWindows } from './range-window.ts'

/** What is asked of an extended range. */
export interface ExtendedRate {
  readonly bounds: ExtendedBounds
  /** Resets are made up for. */
  readonly isCounter: boolean
  /** Per second of the range. */
  readonly isRate: boolean
}

/** Where and of what doubts are told. */
export type Doubts = Pick<RangeWindows, 'notes' | 'at'> & { readonly name: string }

/** What `extendedRate` is for numbers, for the native histograms of one window, which holds at least one. Null: it says nothing. */
export function extendedHistogramRate(
  windows: RangeWindows,
  samples: HistogramWindows,
  i: number,
  { bounds, isCounter, isRate }: ExtendedRate,
  name: string,
): FloatHistogram | null {
  const { times } = samples
  const doubts: Doubts = { notes: windows.notes, at: windows.at, name }
  const endMs = windows.ends[i] as number
  const startMs = endMs - windows.rangeMs
  const from = samples.from[i] as number
  const isSmoothed = bounds === 'smoothed'
  const found = boundSamples(times, from, samples.to[i] as number, startMs, endMs, isSmoothed)
  if (found === null) return null
  const { first, last } = found
  if (!areComparable(histogramsOf(samples, first, last + 1), isCounter, doubts)) return null

  const isLeftBetween = isSmoothed && (times[first] as number) < startMs
  const left = isLeftBetween
    ? between(samples, first, startMs, isCounter, doubts)
    : histogramAt(samples, first)
  const isRightBetween = isSmoothed && last > from && (times[last] as number) > endMs
  const right = isRightBetween
    ? between(samples, last - 1, endMs, isCounter, doubts)
    : histogramAt(samples, last)
  if (left === null || right === null) return null
  if (!isCounter && (left.counterResetHint !== 'gauge' || right.counterResetHint !== 'gauge')) {
    doubts.notes.warn(annotationTexts.notGauge(name), doubts.at)
  }
  let change = told(subtractHistograms(right, left), 'subtraction', doubts)
  if (change === null) return null
  if (isCounter) {
    const steps = histogramsOf(samples, first + 1, last)
    let before = left
    let isOver = first + 1 > last
    if (isLeftBetween && isCounterReset(histogramAt(samples, first + 1), histogramAt(samples, first))) {
      // The value at the bound is after this reset already.
      before = histogramAt(samples, first + 1)
      steps.shift()
      isOver = first + 2 > last
    }
    for (const now of isOver ? [] : [...steps, right]) {
      if (isCounterReset(now, before)) {
        change = told(addHistograms(change, before), 'addition', doubts)
        if (change === null) return null
      }
      before = now
    }
  }
  const perSecond = isRate ? divideHistogram(change, windows.rangeMs / 1000) : change
  return compactHistogram({ ...perSecond, counterResetHint: 'gauge' })
}

/**
 * The histogram at a time on the line between two: after a reset that of a counter which began at 0. Null, and a warning, where one of them has
 * its own bounds and the other has not.
 */
export function interpolateHistograms(
  beforeMs: number,
  before: FloatHistogram,
  afterMs: number,
  after: FloatHistogram,
  atMs: number,
  isCounter: boolean,
  doubts: Doubts,
): FloatHistogram | null {
  if (atMs === beforeMs) return before
  if (atMs === afterMs) return after
  const fraction = (atMs - beforeMs) / (afterMs - beforeMs)
  if (isCounter && isCounterReset(after, before)) return scaleHistogram(after, fraction)
  const difference = told(subtractHistograms(after, before), 'subtraction', doubts)
  if (difference === null) return null
  return told(addHistograms(scaleHistogram(difference, fraction), before), 'addition', doubts)
}

function histogramAt({ histograms }: HistogramWindows, index: number): FloatHistogram {
  return histograms.at(index)
}

function histogramsOf({ histograms }: HistogramWindows, from: number, to: number): FloatHistogram[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => histograms.at(from + i))
}

function between(
  samples: HistogramWindows,
  before: number,
  atMs: number,
  isCounter: boolean,
  doubts: Doubts,
): FloatHistogram | null {
  const { times } = samples
  const [from, to] = [histogramAt(samples, before), histogramAt(samples, before + 1)]
  return interpolateHistograms(
    times[before] as number,
    from,
    times[before + 1] as number,
    to,
    atMs,
    isCounter,
    doubts,
  )
}

function areComparable(histograms: readonly FloatHistogram[], isCounter: boolean, doubts: Doubts): boolean {
  const { notes, at, name } = doubts
  const isCustom = histograms[0]?.schema === CUSTOM_BUCKETS_SCHEMA
  for (const { schema, counterResetHint } of histograms) {
    if ((schema === CUSTOM_BUCKETS_SCHEMA) !== isCustom) {
      notes.warn(annotationTexts.mixedExponentialCustom(name), at)
      return false
    }
    if (isCounter && counterResetHint === 'gauge') notes.warn(annotationTexts.notCounter(name), at)
  }
  return true
}

function told(
  outcome: HistogramOutcome | null,
  operation: 'addition' | 'subtraction',
  { notes, at, name }: Doubts,
): FloatHistogram | null {
  if (outcome === null) notes.warn(annotationTexts.mixedExponentialCustom(name), at)
  else if (outcome.wereBoundsReconciled) notes.inform(annotationTexts.mismatchedCustomBuckets(operation), at)
  return outcome?.histogram ?? null
}
