import { type Labels, withLabel } from '../../../model/labels.ts'
import { numberArraysOf, numbersOf } from '../../../storage/block-columns.ts'
import type { ColumnBlock } from '../../../storage/column-block.ts'
import { formatBound } from '../../promql/format-float.ts'
import type { GridAggregation, GridSeriesAnswer } from '../../promql/series-source.ts'
import { rowOf } from '../series-reader.ts'
import type { LabelGroups } from './group-labels.ts'

/** Sums that lose more than this of what is summed up are not trusted: positive and negative values cancel out. */
const LEAST_SHARE = 1e-6

/** Takes in what statements give for groups. */
export interface GroupMerger {
  add(block: ColumnBlock): void
  /** The groups' values, in their order; a text: why they are not exact. */
  finish(): readonly GridSeriesAnswer[] | string
}

interface Merged {
  readonly group: number
  /** Of buckets that are told apart. */
  readonly bound: number | null
  readonly counts: Float64Array
  readonly values: Float64Array
  readonly magnitudes: Float64Array
}

/** An empty merger for grids of `count` moments. */
export function createGroupMerger(
  op: GridAggregation,
  groups: Pick<LabelGroups, 'labels' | 'order'>,
  count: number,
): GroupMerger {
  const merged = new Map<string, Merged>()
  return {
    add(block) {
      const numbers = numbersOf(block, 'grp')
      const bounds = block.columns.has('bound') ? numbersOf(block, 'bound') : null
      const columns = COLUMNS[op].map((name) => [name, numberArraysOf(block, name)] as const)
      for (let row = 0; row < block.rows; row += 1) {
        const group = Number(numbers[row])
        const bound = bounds === null ? null : Number(bounds[row])
        const key = `${group} ${bound}`
        let target = merged.get(key)
        if (target === undefined) {
          const empty = () => new Float64Array(count)
          target = { group, bound, counts: empty(), values: empty(), magnitudes: empty() }
          merged.set(key, target)
        }
        const at = Object.fromEntries(columns.map(([name, column]) => [name, rowOf(column, row)]))
        mergeInto(op, target, at)
      }
    },
    finish() {
      const place = new Map(groups.order.map((group, i) => [group, i]))
      const placeOf = ({ group }: Merged) => place.get(group) ?? 0
      const all = [...merged.values()].sort(
        (a, b) => placeOf(a) - placeOf(b) || (a.bound ?? 0) - (b.bound ?? 0),
      )
      const answers: GridSeriesAnswer[] = []
      for (const one of all) {
        if ((op === 'sum' || op === 'avg') && !isExact(one)) return 'the values cancel out or overflow'
        const answer = answerOf(op, one, labelsOf(groups.labels[one.group] ?? [], one.bound))
        if (answer.present.includes(1)) answers.push(answer)
      }
      return answers
    },
  }
}

const COLUMNS: Readonly<Record<GridAggregation, readonly ('counts' | 'sums' | 'magnitudes' | 'extremes')[]>> =
  {
    sum: ['counts', 'sums', 'magnitudes'],
    avg: ['counts', 'sums', 'magnitudes'],
    min: ['counts', 'extremes'],
    max: ['counts', 'extremes'],
    count: ['counts'],
    group: ['counts'],
  }

type Row = Readonly<Record<string, ReturnType<typeof rowOf> | undefined>>

function mergeInto(op: GridAggregation, { counts, values, magnitudes }: Merged, row: Row): void {
  const { counts: added, sums, magnitudes: addedMagnitudes, extremes } = row
  for (let i = 0; i < counts.length; i += 1) {
    const more = added?.[i] ?? 0
    if (more === 0) continue
    if (sums != null) {
      values[i] = (values[i] as number) + (sums[i] as number)
      magnitudes[i] = (magnitudes[i] as number) + (addedMagnitudes?.[i] ?? 0)
    }
    if (extremes != null) {
      const value = extremes[i] as number
      const best = values[i] as number
      const isBetter = op === 'min' ? value < best : value > best
      if (counts[i] === 0 || isBetter || Number.isNaN(best)) values[i] = value
    }
    counts[i] = (counts[i] as number) + more
  }
}

function isExact({ values, magnitudes }: Merged): boolean {
  for (let i = 0; i < values.length; i += 1) {
    const magnitude = magnitudes[i] as number
    if (magnitude === Number.POSITIVE_INFINITY) return false
    if (Math.abs(values[i] as number) < magnitude * LEAST_SHARE) return false
  }
  return true
}

function answerOf(op: GridAggregation, { counts, values }: Merged, labels: Labels): GridSeriesAnswer {
  const present = new Uint8Array(counts.length)
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i] as number
    if (count === 0) continue
    present[i] = 1
    if (op === 'avg') values[i] = (values[i] as number) / count
    else if (op === 'count') values[i] = count
    else if (op === 'group') values[i] = 1
  }
  return { labels, values, present }
}

function labelsOf(labels: Labels, bound: number | null): Labels {
  return bound === null ? labels : withLabel(labels, 'le', formatBound(bound))
}
