import { histogramText } from '../../../model/histogram/histogram-text.ts'
import { withLabel } from '../../../model/labels.ts'
import type { AggregateExpr } from '../ast.ts'
import { formatFloat } from '../format-float.ts'
import { createGrouping } from './aggregate.ts'
import type { Evaluation } from './evaluation.ts'
import { emptySeries, type Grid, type GridSeries } from './grid.ts'

/**
 * `count_values`: how many series of a group have each value, the value as the label `name`. What is counted is a metric like any other, also where
 * names are removed at the end. Throws RESULT_TOO_LARGE as soon as there are too many different values.
 */
export async function countValues(
  run: Pick<Evaluation, 'spend' | 'breathe'>,
  node: AggregateExpr,
  name: string,
  series: readonly GridSeries[],
  grid: Grid,
): Promise<readonly GridSeries[]> {
  // The label is given first, and then takes part in grouping.
  const { isWithout } = node
  const { keyOf, labelsOf } = createGrouping({
    isWithout,
    grouping: isWithout ? node.grouping : [...node.grouping, name],
  })
  const groups = new Map<string, GridSeries>()
  const groupOf = (one: GridSeries, text: string): GridSeries => {
    const labels = withLabel(one.labels, name, text)
    const key = keyOf(labels)
    const known = groups.get(key)
    if (known !== undefined) return known
    run.spend((groups.size + 1) * grid.count)
    const group = emptySeries(labelsOf(labels), false, grid)
    groups.set(key, group)
    return group
  }
  for (const one of series) {
    const byText = new Map<string, GridSeries>()
    for (let i = 0; i < grid.count; i += 1) {
      if (one.present[i] !== 1) continue
      const histogram = one.histograms?.[i] ?? null
      const text =
        histogram === null ? formatFloat(one.values[i] as number, 'plain') : histogramText(histogram)
      let group = byText.get(text)
      if (group === undefined) {
        group = groupOf(one, text)
        byText.set(text, group)
      }
      group.values[i] = (group.values[i] as number) + 1
      group.present[i] = 1
    }
    const rest = run.breathe()
    if (rest !== undefined) await rest
  }
  return [...groups.values()]
}
