import { keepLabels, METRIC_NAME, withoutLabels } from '../../../model/labels.ts'
import type { VectorMatching } from '../ast.ts'
import type { GridSeries } from './grid.ts'

/** Whether a matching says what missing series count as. */
export function isFilled({ fillLeft, fillRight }: VectorMatching): boolean {
  return fillLeft !== null || fillRight !== null
}

/**
 * The partner that a series gets where it has none: always the same value, with the labels by which they would have matched. `matched` are the
 * moments (where 1) at which it has one.
 */
export function filledSeries(
  series: GridSeries,
  matching: VectorMatching,
  value: number,
  matched: readonly Uint8Array[],
): GridSeries {
  const names = new Set(matching.labels)
  const labels = matching.isOn
    ? keepLabels(series.labels, names)
    : withoutLabels(series.labels, names.add(METRIC_NAME))
  return {
    labels,
    dropName: false,
    values: new Float64Array(series.values.length).fill(value),
    present: series.present.map((is, i) =>
      is === 1 && matched.every((moments) => moments[i] !== 1) ? 1 : 0,
    ),
    histograms: null,
  }
}
