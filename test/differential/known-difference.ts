import { labelsKey } from '../../model/labels.ts'
import type { Answer, AnswerSeries } from './ask.ts'
import { compareAnswers, isClose } from './compare-answers.ts'

/**
 * What Prometheus 2.42 is known to say differently from 3, each with its reason. What is found here is asked and counted, but is no
 * difference. Not found here, because the series and the generator keep clear of them: windows that are closed at their beginning (no
 * sample and no point of a subquery stands on a bound), names of metrics and labels in UTF-8, durations as numbers, native histograms.
 */
export interface KnownDifference {
  readonly reason: string
  /** Whether the two answers to this expression, the smallest that shows the difference, differ for that reason. */
  applies(expr: string, theirs: Answer, ours: Answer): boolean
  /** The generator keeps clear of it, so it is not what is looked for when an expression is made smaller. */
  readonly isAvoided?: boolean
}

/** All of them. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason: 'label names of version 3 are any text, those of 2 are not',
    applies: (expr, theirs, ours) =>
      theirs.kind === 'error' &&
      /invalid (destination )?label name/.test(theirs.message) &&
      ours.kind !== 'error' &&
      expr.includes('"~"'),
  },
  {
    reason:
      'stddev and stdvar whose first value is NaN or infinite: version 3 gives NaN, version 2 may give 0',
    applies: (expr, theirs, ours) =>
      /^(stddev|stdvar)\b/.test(expr) &&
      everyDifference(theirs, ours, (wanted, found) => wanted === 0 && Number.isNaN(found)),
  },
  {
    reason:
      'predict_linear of a window that stands still by @: version 2 moves it along from the second step on',
    applies: (expr, theirs, ours) =>
      /^predict_linear\(.* @ /.test(expr) &&
      theirs.kind === 'matrix' &&
      ours.kind === 'matrix' &&
      isEqualAtFirst(theirs, ours),
  },
  {
    reason:
      'dates of NaN, infinities and what overflows 64 bits: Go leaves it to the processor what they are, ours are NaN',
    applies: (expr, theirs, ours) =>
      /^(minute|hour|day_of_week|day_of_month|day_of_year|days_in_month|month|year)\(/.test(expr) &&
      everyDifference(theirs, ours, (_, found) => Number.isNaN(found)),
  },
  {
    reason:
      'timestamp of a selector with both @ and offset: Prometheus reads its samples with the offset and looks at them without',
    applies: (expr) => /^timestamp\(\S*( @ \S+ offset \S+| offset \S+ @ \S+)\)$/.test(expr),
  },
  {
    reason:
      'pairs that a comparison filters out: version 3 refuses a match of several all the same, version 2 does not see it',
    applies: (expr, theirs, ours) =>
      / ([=!]=|[<>]=?) (?!bool)/.test(expr) &&
      theirs.kind !== 'error' &&
      ours.kind === 'error' &&
      ours.message.includes('multiple matches for labels: '),
  },
  {
    reason: 'version 2 keeps the name of what atan2 is applied to',
    isAvoided: true,
    applies: (expr, theirs, ours) => / atan2 /.test(expr) && hasNames(theirs) && !hasNames(ours),
  },
  {
    reason:
      'count_values by three labels or more at several moments: version 2 overwrites one of the labels with its own',
    applies: (expr, theirs, ours) =>
      /^count_values\b.*\bby \(([^(),]+,){2,}/.test(expr) &&
      theirs.kind === 'matrix' &&
      ours.kind === 'matrix',
  },
  {
    reason:
      'a subquery with no moment in its window, of what an @ pins: Prometheus evaluates it once all the same, behind the window',
    applies: (expr, theirs, ours) =>
      / @ \S+?\)?\[\w+:\w+\]/.test(expr) &&
      'series' in theirs &&
      'series' in ours &&
      theirs.series.every(({ points }) => points.length === 1) &&
      ours.series.length === 0,
  },
  {
    reason: 'a mean of exactly 0: version 2 keeps a running mean, whose roundings leave a little',
    applies: (expr, theirs, ours) =>
      /^avg(_over_time)?\b/.test(expr) &&
      everyDifference(theirs, ours, (wanted, found) => found === 0 && Math.abs(wanted) < 1e-12),
  },
  {
    reason: 'sums over time that overflow: version 3 gives the infinity, version 2 NaN',
    applies: (expr, theirs, ours) =>
      /^(sum|avg|stddev|stdvar)_over_time\b/.test(expr) &&
      everyDifference(
        theirs,
        ours,
        (wanted, found) => Number.isNaN(wanted) && Math.abs(found) === Number.POSITIVE_INFINITY,
      ),
  },
]

/** Whether the answers have the same points, and every pair that differs in value differs in this way. */
function everyDifference(
  theirs: Answer,
  ours: Answer,
  isKnown: (wanted: number, found: number) => boolean,
): boolean {
  if (!('series' in theirs && 'series' in ours) || theirs.series.length !== ours.series.length) return false
  const left = new Map(ours.series.map(({ labels, points }) => [labelsKey(labels), points]))
  return theirs.series.every(({ labels, points }) => {
    const found = left.get(labelsKey(labels))
    return (
      found?.length === points.length &&
      points.every(([time, wanted], index) => {
        const [foundTime, value] = found[index] ?? [Number.NaN, Number.NaN]
        return foundTime === time && (isClose(wanted, value) || isKnown(wanted, value))
      })
    )
  })
}

function hasNames(answer: Answer): boolean {
  return 'series' in answer && answer.series.some(({ labels }) => labels.includes('__name__'))
}

/** Whether the first point of every series of ours is the same in theirs. */
function isEqualAtFirst(
  theirs: { readonly series: readonly AnswerSeries[] },
  ours: { readonly series: readonly AnswerSeries[] },
): boolean {
  const first = (all: readonly AnswerSeries[]) =>
    all.map(({ labels, points }) => ({ labels, points: points.slice(0, 1), histograms: [] }))
  const notes: readonly string[] = []
  return (
    compareAnswers(
      { kind: 'matrix', series: first(theirs.series), notes },
      { kind: 'matrix', series: first(ours.series), notes },
    ) === null
  )
}

/** The expression as version 2.42 spells it: `double_exponential_smoothing` was `holt_winters`. */
export function spelledForTheirs(expr: string): string {
  return expr.replaceAll('double_exponential_smoothing(', 'holt_winters(')
}
