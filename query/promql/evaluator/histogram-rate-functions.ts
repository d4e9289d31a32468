import {
  CUSTOM_BUCKETS_SCHEMA,
  EMPTY_HISTOGRAM,
  type FloatHistogram,
} from '../../../model/float-histogram.ts'
import { addHistograms, subtractHistograms } from '../../../model/histogram/add-histograms.ts'
import { compactHistogram } from '../../../model/histogram/compact-histogram.ts'
import { isCounterReset } from '../../../model/histogram/is-counter-reset.ts'
import { reduceResolution } from '../../../model/histogram/reduce-resolution.ts'
import { divideHistogram, scaleHistogram } from '../../../model/histogram/scale-histogram.ts'
import { labelValue, METRIC_NAME } from '../../../model/labels.ts'
import { annotationTexts } from './annotation-texts.ts'
import { extrapolationFactor, extrapolationFactorSince } from './extrapolation-factor.ts'
import { type GridSeries, setHistogram } from './grid.ts'
import type { HistogramWindows, RangeWindows } from './range-window.ts'
import { isStartOverlap, isStartReset } from './start-times.ts'

/**
 * `rate`, `increase` and `delta` of native histograms, at the moments whose windows hold any; the numbers' results must be there already. A
 * window with both gives nothing, and a warning.
 */
export function rateHistograms(
  windows: RangeWindows,
  result: GridSeries,
  isCounter: boolean,
  isRate: boolean,
): void {
  const { floats, histograms, notes, at } = windows
  if (histograms === null) return
  const name = labelValue(windows.labels, METRIC_NAME)
  const counter = isCounter ? counterOf(histograms) : null
  for (let i = 0; i < windows.ends.length; i += 1) {
    if (histograms.from[i] === histograms.to[i]) continue
    result.present[i] = 0
    if (floats.from[i] !== floats.to[i]) {
      notes.warn(annotationTexts.mixedFloatsHistograms(name), at)
      continue
    }
    const rate = rateAt(windows, histograms, counter, i, name)
    if (rate !== null) setHistogram(result, i, isRate ? scaleBy(rate, windows.rangeMs) : scaleBy(rate, null))
  }
}

/** `irate` and `idelta` where the window holds native histograms; the numbers' results must be there already. */
export function lastChangeOfHistograms(windows: RangeWindows, result: GridSeries, isRate: boolean): void {
  const { floats, histograms, notes, at } = windows
  if (histograms === null) return
  const name = labelValue(windows.labels, METRIC_NAME)
  for (let i = 0; i < windows.ends.length; i += 1) {
    const count = (histograms.to[i] as number) - (histograms.from[i] as number)
    if (count === 0) continue
    const last = (histograms.to[i] as number) - 1
    const lastFloat = (floats.to[i] as number) - 1
    const timeOf = (index: number) =>
      index >= (floats.from[i] as number) ? (floats.times[index] as number) : Number.NEGATIVE_INFINITY
    const lastMs = histograms.times[last] as number
    // The last two samples may both be numbers, whatever came before.
    if (timeOf(lastFloat - 1) > lastMs) continue
    result.present[i] = 0
    if (timeOf(lastFloat) > (count > 1 ? (histograms.times[last - 1] as number) : Number.NEGATIVE_INFINITY)) {
      notes.warn(annotationTexts.mixedFloatsHistograms(name), at)
      continue
    }
    if (count < 2) continue
    const change = lastChangeAt(windows, histograms, last, isRate, name)
    if (change !== null) setHistogram(result, i, change)
  }
}

interface Rate {
  readonly histogram: FloatHistogram
  readonly factor: number
}

function scaleBy({ histogram, factor }: Rate, rangeMs: number | null): FloatHistogram {
  return scaleHistogram(histogram, rangeMs === null ? factor : factor / (rangeMs / 1000))
}

function rateAt(
  windows: RangeWindows,
  histograms: HistogramWindows,
  counter: Counter | null,
  i: number,
  name: string,
): Rate | null {
  const first = histograms.from[i] as number
  const last = (histograms.to[i] as number) - 1
  const isCounter = counter !== null
  const change = first === last ? null : changeBetween(windows, histograms, counter, first, last, name)
  if (change === null && first !== last) return null
  const firstMs = histograms.times[first] as number
  const lastMs = histograms.times[last] as number
  const endMs = windows.ends[i] as number
  const startMs = endMs - windows.rangeMs
  const startedMs = isCounter ? (histograms.starts?.[first] ?? 0) : 0
  const firstHistogram = histograms.histograms.at(first)
  const count = last - first + 1
  if (startedMs !== 0 && startedMs > startMs && startedMs < firstMs) {
    const whole = change === null ? firstHistogram : plus(windows, change, firstHistogram, name)
    if (whole === null) return null
    return { histogram: whole, factor: extrapolationFactorSince(startedMs, firstMs, lastMs, count, endMs) }
  }
  if (change === null) return null
  const growth = isCounter ? change.count : 0
  const factor = extrapolationFactor(firstMs, lastMs, count, startMs, endMs, firstHistogram.count, growth)
  return { histogram: change, factor }
}

/** The difference of the last and the first histogram of a window (at least two), with what a counter's resets took away. */
function changeBetween(
  windows: RangeWindows,
  { histograms, times, starts }: HistogramWindows,
  counter: Counter | null,
  first: number,
  last: number,
  name: string,
): FloatHistogram | null {
  const { notes, at } = windows
  const firstHistogram = histograms.at(first)
  const lastHistogram = histograms.at(last)
  // What is noted counts only when nothing worse comes up.
  const doubts = new Set<string>()
  const refuse = () => {
    notes.warn(annotationTexts.mixedExponentialCustom(name), at)
    return null
  }
  let before = firstHistogram
  let minSchema = Math.min(lastHistogram.schema, before.schema)
  if (counter === null) {
    if (!isGauge(firstHistogram) || !isGauge(lastHistogram)) doubts.add(annotationTexts.notGauge(name))
    if (isCustom(lastHistogram) !== isCustom(before)) return refuse()
  } else {
    if (isGauge(firstHistogram) || isGauge(lastHistogram)) doubts.add(annotationTexts.notCounter(name))
    if (counter.resets[first + 1] === 1) {
      // After a reset the first sample's layout does not matter.
      const { schema, customValues } = histograms.at(first + 1)
      before = { ...EMPTY_HISTOGRAM, schema, customValues }
    }
    if (isCustom(lastHistogram) !== isCustom(before)) {
      for (const text of doubts) notes.warn(text, at)
      return refuse()
    }
    minSchema = Math.min(lastHistogram.schema, before.schema)
    for (let k = first + 1; k < last; k += 1) {
      const schema = counter.schemas[k] as number
      if (counter.gauges[k] === 1) doubts.add(annotationTexts.notCounter(name))
      minSchema = Math.min(minSchema, schema)
      if ((schema === CUSTOM_BUCKETS_SCHEMA) !== isCustom(before)) return refuse()
    }
  }
  const difference = subtractHistograms(reduceResolution(lastHistogram, minSchema), before)
  if (difference === null) return refuse()
  if (difference.wereBoundsReconciled)
    notes.inform(annotationTexts.mismatchedCustomBuckets('subtraction'), at)
  let change = difference.histogram
  if (counter !== null) {
    const isStartResetAt = (k: number) =>
      isStartReset(starts?.[k - 1] ?? 0, times[k - 1] as number, starts?.[k] ?? 0, times[k] as number)
    let isOverlapNoted = starts === null
    for (let k = first + 1; k <= last; k += 1) {
      if (!isOverlapNoted && isStartOverlap(starts?.[k - 1] ?? 0, times[k - 1] as number, starts?.[k] ?? 0)) {
        isOverlapNoted = true
        doubts.add(annotationTexts.startTimeOverlap(name))
      }
      if (counter.resets[k] !== 1) continue
      // After the reset that made `before` empty, only what the samples say themselves is a reset.
      const isTold = isStartResetAt(k) || histograms.at(k).counterResetHint === 'reset'
      if (k === first + 1 && !isTold) continue
      const added = addHistograms(change, k === first + 1 ? before : histograms.at(k - 1))
      if (added === null) return refuse()
      if (added.wereBoundsReconciled) notes.inform(annotationTexts.mismatchedCustomBuckets('addition'), at)
      change = added.histogram
    }
  }
  for (const text of doubts) notes.warn(text, at)
  return compactHistogram({ ...change, counterResetHint: 'gauge' })
}

function plus(
  { notes, at }: RangeWindows,
  a: FloatHistogram,
  b: FloatHistogram,
  name: string,
): FloatHistogram | null {
  const added = addHistograms(a, b)
  if (added === null) notes.warn(annotationTexts.mixedExponentialCustom(name), at)
  else if (added.wereBoundsReconciled) notes.inform(annotationTexts.mismatchedCustomBuckets('addition'), at)
  return added?.histogram ?? null
}

function lastChangeAt(
  { notes, at }: RangeWindows,
  { histograms, times, starts }: HistogramWindows,
  last: number,
  isRate: boolean,
  name: string,
): FloatHistogram | null {
  const before = histograms.at(last - 1)
  const now = histograms.at(last)
  const beforeMs = times[last - 1] as number
  const nowMs = times[last] as number
  if (isRate && (isGauge(now) || isGauge(before))) notes.warn(annotationTexts.notCounter(name), at)
  if (!isRate && (!isGauge(now) || !isGauge(before))) notes.warn(annotationTexts.notGauge(name), at)
  const isReset =
    isRate &&
    (isStartReset(starts?.[last - 1] ?? 0, beforeMs, starts?.[last] ?? 0, nowMs) ||
      isCounterReset(now, before))
  let change = now
  if (!isReset) {
    const difference = subtractHistograms(now, before)
    if (difference === null) {
      notes.warn(annotationTexts.mixedExponentialCustom(name), at)
      return null
    }
    if (difference.wereBoundsReconciled) {
      notes.inform(annotationTexts.mismatchedCustomBuckets('subtraction'), at)
    }
    change = difference.histogram
  }
  const compact = compactHistogram({ ...change, counterResetHint: 'gauge' })
  return isRate ? divideHistogram(compact, (nowMs - beforeMs) / 1000) : compact
}

/** What the windows of a counter need to know of every sample. */
interface Counter {
  /** 1 at each sample at which the counter was reset since the one before. */
  readonly resets: Uint8Array
  readonly schemas: Int8Array
  /** 1 at each sample that says that it is a gauge. */
  readonly gauges: Uint8Array
}

/** Looks at every sample once: windows overlap, and have each sample many times. */
function counterOf({ histograms, times, starts }: HistogramWindows): Counter {
  const { length } = histograms
  const counter = {
    resets: new Uint8Array(length),
    schemas: new Int8Array(length),
    gauges: new Uint8Array(length),
  }
  let before: FloatHistogram | null = null
  for (let k = 0; k < length; k += 1) {
    const now = histograms.at(k)
    counter.schemas[k] = now.schema
    if (isGauge(now)) counter.gauges[k] = 1
    const isReset =
      before !== null &&
      (isStartReset(starts?.[k - 1] ?? 0, times[k - 1] as number, starts?.[k] ?? 0, times[k] as number) ||
        isCounterReset(now, before))
    if (isReset) counter.resets[k] = 1
    before = now
  }
  return counter
}

function isCustom({ schema }: FloatHistogram): boolean {
  return schema === CUSTOM_BUCKETS_SCHEMA
}

function isGauge({ counterResetHint }: FloatHistogram): boolean {
  return counterResetHint === 'gauge'
}
