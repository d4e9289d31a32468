import { RE2JS } from 're2js'
import { expandMatch } from '../../../model/expand-match.ts'
import { type Labels, labelValue, METRIC_NAME, withLabel } from '../../../model/labels.ts'
import { executionError, mergeEqualLabels } from './evaluation.ts'
import type { GridSeries } from './grid.ts'

/**
 * `label_replace`: where the whole value of label `source` matches the RE2 pattern, `target` becomes the replacement with `$1`, `${name}`
 * filled in; an empty result removes it. Throws QUERY_EXECUTION_FAILED for a bad pattern or name, or series that become equal.
 */
export function labelReplace(
  series: readonly GridSeries[],
  [target = '', replacement = '', source = '', pattern = '']: readonly string[],
): readonly GridSeries[] {
  const expression = compile(pattern)
  if (!isLabelName(target)) {
    throw executionError(`invalid destination label name in label_replace(): ${target}`)
  }
  return relabel(series, target, (labels) => expandMatch(expression, labelValue(labels, source), replacement))
}

/** `label_join`: `target` becomes the values of `sources`, joined. Throws as {@link labelReplace}. */
export function labelJoin(
  series: readonly GridSeries[],
  [target = '', separator = '', ...sources]: readonly string[],
): readonly GridSeries[] {
  const bad = sources.find((name) => !isLabelName(name))
  if (bad !== undefined) throw executionError(`invalid source label name in label_join(): ${bad}`)
  if (!isLabelName(target)) throw executionError(`invalid destination label name in label_join(): ${target}`)
  return relabel(series, target, (labels) => sources.map((name) => labelValue(labels, name)).join(separator))
}

/**
 * Whether a text can name a label: since UTF-8 names, any that is not empty and well-formed. Bytes of a query that are no UTF-8 have become
 * U+FFFD.
 */
export function isLabelName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !name.includes('\ufffd')
}

function relabel(
  series: readonly GridSeries[],
  target: string,
  valueFor: (labels: Labels) => string | null,
): readonly GridSeries[] {
  return mergeEqualLabels(
    series.map((one) => {
      const value = valueFor(one.labels)
      if (value === null) return one
      // A name that was to be removed is given anew.
      const dropName = target === METRIC_NAME ? false : one.dropName
      return { ...one, labels: withLabel(one.labels, target, value), dropName }
    }),
  )
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL)
  } catch {
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`)
  }
}
