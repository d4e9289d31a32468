import type { FloatHistogram } from '../../model/float-histogram.ts'
import { sampleSize } from './sample-size.ts'

/** The native histograms among a series' samples, by the places of these. They may be made only when they are asked for. */
export interface HistogramList {
  readonly length: number
  /** Whether the sample at that place is a native histogram. */
  has(place: number): boolean
  /** The histogram at a place that has one. */
  at(place: number): FloatHistogram
  /** What all of them count as against limits on samples, see {@link sampleSize}. */
  readonly size: number
}

/** A list of what is there already; null: no histogram at that place. */
export function histogramList(histograms: readonly (FloatHistogram | null)[]): HistogramList {
  return {
    length: histograms.length,
    has: (place) => histograms[place] != null,
    at: (place) => histograms[place] as FloatHistogram,
    get size() {
      return histograms.reduce((sum, one) => (one === null ? sum : sum + sampleSize(one)), 0)
    },
  }
}

/** The samples of a list at some places, in the order of these. */
export function pickHistograms(list: HistogramList, places: Int32Array): HistogramList {
  const placeOf = (index: number) => places[index] as number
  return {
    length: places.length,
    has: (index) => list.has(placeOf(index)),
    at: (index) => list.at(placeOf(index)),
    get size() {
      let size = 0
      for (const place of places) if (list.has(place)) size += sampleSize(list.at(place))
      return size
    },
  }
}

/** The places of a list that have a histogram, or those that have none. */
export function placesOf(list: HistogramList, withHistogram: boolean): Int32Array {
  const places = new Int32Array(list.length)
  let count = 0
  for (let place = 0; place < list.length; place += 1) {
    if (list.has(place) === withHistogram) places[count++] = place
  }
  return places.subarray(0, count)
}

/** The histograms at the places from `from` to before `to`; null where there is none. */
export function histogramsBetween(list: HistogramList, from: number, to: number): (FloatHistogram | null)[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) =>
    list.has(from + i) ? list.at(from + i) : null,
  )
}
