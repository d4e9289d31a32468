import type { FloatHistogram } from '../../model/float-histogram.ts'
import { histogramTestText } from '../../model/histogram/histogram-test-text.ts'
import { compareLabels, type Labels, labelsKey } from '../../model/labels.ts'

/** An alert as a test names it. */
export interface ExpectedAlert {
  readonly labels: Labels
  readonly annotations: Labels
}

/** A sample as a test names it. */
export interface TestSample {
  readonly labels: Labels
  readonly value: number
  /** The sample is this native histogram. */
  readonly histogram?: FloatHistogram
}

/** Whether there are the same alerts on both sides, in any order. */
export function areEqualAlerts(expected: readonly ExpectedAlert[], got: readonly ExpectedAlert[]): boolean {
  const key = ({ labels, annotations }: ExpectedAlert) => `${labelsKey(labels)}\n${labelsKey(annotations)}`
  const [left, right] = [expected.map(key).sort(), got.map(key).sort()]
  return left.length === right.length && left.every((text, index) => text === right[index])
}

/**
 * Whether there are the same samples on both sides, in any order. `isFuzzy`: neighbouring doubles count as equal.
 */
export function areEqualSamples(
  expected: readonly TestSample[],
  got: readonly TestSample[],
  isFuzzy: boolean,
): boolean {
  if (expected.length !== got.length) return false
  const sorted = (samples: readonly TestSample[]) =>
    [...samples].sort((a, b) => compareLabels(a.labels, b.labels))
  const right = sorted(got)
  return sorted(expected).every((sample, index) => {
    const other = right[index]
    if (other === undefined || labelsKey(sample.labels) !== labelsKey(other.labels)) return false
    if (sample.histogram !== undefined || other.histogram !== undefined) {
      return textOf(sample) === textOf(other)
    }
    return isFuzzy ? areNeighbours(sample.value, other.value) : areSame(sample.value, other.value)
  })
}

/** Histograms are the same, as for promtool, when they are written the same. */
function textOf({ histogram }: TestSample): string {
  return histogram === undefined ? '' : histogramTestText(histogram)
}

function areSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

/** Whether two doubles are the same or there is none between them. */
function areNeighbours(a: number, b: number): boolean {
  if (areSame(a, b)) return true
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false
  const difference = orderedBits(a) - orderedBits(b)
  return difference === 1n || difference === -1n
}

/** A double's bits as an integer in the same order as the doubles. */
function orderedBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigInt64(0)
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
}
