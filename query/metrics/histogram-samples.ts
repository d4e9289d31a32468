import type { FloatHistogram } from '../../model/float-histogram.ts'
import { sampleSize } from '../promql/sample-size.ts'

/** Native histograms of a series, in no order, made when they are asked for. */
export interface HistogramSamples {
  /** Epoch milliseconds. */
  readonly times: Float64Array
  /** When each one's counter began, epoch milliseconds; 0: not known. Null: not known of any. */
  readonly starts: Float64Array | null
  at(place: number): FloatHistogram
  /** What the one at that place counts as against limits on samples, see {@link sampleSize}. */
  sizeAt(place: number): number
}

/** Samples that are there already. */
export function readySamples(
  times: Float64Array,
  starts: Float64Array,
  histograms: readonly FloatHistogram[],
): HistogramSamples {
  return {
    times,
    starts: knownStarts(starts),
    at: (place) => histograms[place] as FloatHistogram,
    sizeAt: (place) => sampleSize(histograms[place] as FloatHistogram),
  }
}

/** Null where no start is known. */
export function knownStarts(starts: Float64Array): Float64Array | null {
  return starts.some((start) => start !== 0) ? starts : null
}

/** What all of them count as. */
export function sizeOfSamples({ times, sizeAt }: HistogramSamples): number {
  let size = 0
  for (let place = 0; place < times.length; place += 1) size += sizeAt(place)
  return size
}

/** Remembers what was made of one owner at a time: a series is gone through whole, several times, before the next. */
export type HistogramMemo = (
  owner: object,
  place: number,
  make: (place: number) => FloatHistogram,
) => FloatHistogram

/** A memo that has nothing yet. */
export function createHistogramMemo(): HistogramMemo {
  let current: object | null = null
  let made: (FloatHistogram | undefined)[] = []
  return (owner, place, make) => {
    if (current !== owner) {
      current = owner
      made = []
    }
    const before = made[place]
    if (before !== undefined) return before
    const histogram = make(place)
    made[place] = histogram
    return histogram
  }
}
