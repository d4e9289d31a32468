import { compareLabels, labelValue } from '../../../model/labels.ts'
import { type GridSeries, isAnywhere, withoutHistograms } from './grid.ts'

type Order = 'ascending' | 'descending'

/**
 * `sort` and `sort_desc` of an instant vector: by value, NaN last; native histograms are left out. Ranges are ordered by labels whatever is done
 * here.
 */
export function sortByValue(series: readonly GridSeries[], order: Order): readonly GridSeries[] {
  const sign = order === 'ascending' ? 1 : -1
  const numbers = series.map(withoutHistograms).filter(isAnywhere)
  return numbers.sort((a, b) => {
    const x = a.values[0] as number
    const y = b.values[0] as number
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
    return x === y ? 0 : x < y ? -sign : sign
  })
}

/** `sort_by_label` and `sort_by_label_desc`: by the labels named, numbers inside them as numbers, then by all labels. */
export function sortByLabels(
  series: readonly GridSeries[],
  names: readonly string[],
  order: Order,
): readonly GridSeries[] {
  const sign = order === 'ascending' ? 1 : -1
  return [...series].sort((a, b) => {
    for (const name of names) {
      const compared = compareNaturally(labelValue(a.labels, name), labelValue(b.labels, name))
      if (compared !== 0) return sign * compared
    }
    return sign * compareLabels(a.labels, b.labels)
  })
}

/** Texts piece by piece: runs of digits by their number, the rest by its characters. */
function compareNaturally(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? []
  const right = b.match(/\d+|\D+/g) ?? []
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const x = left[i] ?? ''
    const y = right[i] ?? ''
    if (x === y) continue
    const areNumbers = /^\d/.test(x) && /^\d/.test(y)
    if (areNumbers && Number(x) !== Number(y)) return Number(x) - Number(y)
    return x < y ? -1 : 1
  }
  return left.length - right.length
}
