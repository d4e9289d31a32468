import { labelsKey, labelsText } from '../../model/labels.ts'
import type { Answer, AnswerSeries } from './ask.ts'

const TOLERANCE = 1e-5

/** How two answers may be held against each other. */
export interface Comparison {
  /** The order of a vector counts: its values must come in the same order (series of equal values may change places). */
  readonly isOrdered?: boolean
  /** How far values may be apart, relative to the smaller one; default 1e-5, what the tester of Prometheus' compliance suite allows. */
  readonly tolerance?: number
}

/**
 * What is different in our answer; null: nothing. Times and label sets must be equal, values within the tolerance, NaN is NaN. Of
 * errors only status and type are looked at: the texts of versions differ.
 */
export function compareAnswers(
  theirs: Answer,
  ours: Answer,
  { isOrdered = false, tolerance = TOLERANCE }: Comparison = {},
): string | null {
  if (theirs.kind === 'error' || ours.kind === 'error') {
    if (theirs.kind === 'error' && ours.kind === 'error') {
      return theirs.status === ours.status && theirs.type === ours.type
        ? null
        : `error ${ours.status} ${ours.type} (${ours.message}), not ${theirs.status} ${theirs.type} (${theirs.message})`
    }
    return `${summary(ours)}, not ${summary(theirs)}`
  }
  if (theirs.kind !== ours.kind) return `a ${ours.kind}, not a ${theirs.kind}`
  if (theirs.kind === 'string' || ours.kind === 'string') {
    return JSON.stringify(theirs) === JSON.stringify(ours) ? null : `${summary(ours)}, not ${summary(theirs)}`
  }
  const problem = compareSeries(theirs.series, ours.series, tolerance)
  if (problem !== null || !isOrdered) return problem
  for (const [index, series] of theirs.series.entries()) {
    const [, wanted] = series.points[0] ?? [0, Number.NaN]
    const [, found] = ours.series[index]?.points[0] ?? [0, Number.NaN]
    if (!isClose(wanted, found, tolerance)) return `${found}, not ${wanted}, at place ${index} of the order`
  }
  return null
}

/** Whether two values count as equal. */
export function isClose(a: number, b: number, tolerance = TOLERANCE): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true
  return Math.abs(a - b) <= tolerance * Math.min(Math.abs(a), Math.abs(b))
}

function compareSeries(
  theirs: readonly AnswerSeries[],
  ours: readonly AnswerSeries[],
  tolerance: number,
): string | null {
  const left = new Map(ours.map((series) => [labelsKey(series.labels), series]))
  if (left.size !== ours.length) return 'equal labels twice'
  for (const wanted of theirs) {
    const key = labelsKey(wanted.labels)
    const found = left.get(key)
    if (found === undefined) return `${labelsText(wanted.labels)} is missing, ${pointsText(wanted)}`
    left.delete(key)
    const problem = comparePoints(wanted, found, tolerance)
    if (problem !== null) return `${labelsText(wanted.labels)} ${problem}`
  }
  const extra = left.values().next().value
  return extra === undefined ? null : `${labelsText(extra.labels)} is too much, ${pointsText(extra)}`
}

function comparePoints(wanted: AnswerSeries, found: AnswerSeries, tolerance: number): string | null {
  if (JSON.stringify(wanted.histograms) !== JSON.stringify(found.histograms)) {
    return `histograms ${JSON.stringify(found.histograms)}, not ${JSON.stringify(wanted.histograms)}`
  }
  for (const [index, [time, value]] of wanted.points.entries()) {
    const [foundTime, foundValue] = found.points[index] ?? [Number.NaN, Number.NaN]
    if (foundTime !== time) return `point ${index} is at ${foundTime}, not at ${time} (${value})`
    if (!isClose(value, foundValue, tolerance)) return `at ${time}: ${foundValue}, not ${value}`
  }
  const extra = found.points[wanted.points.length]
  return extra === undefined ? null : `has a point too much: ${extra.join(' ')}`
}

function summary(answer: Answer): string {
  switch (answer.kind) {
    case 'error':
      return `error ${answer.status} ${answer.type} (${answer.message})`
    case 'string':
      return `the string ${JSON.stringify(answer.value)}`
    default:
      return `a ${answer.kind} of ${answer.series.length}`
  }
}

function pointsText({ points }: AnswerSeries): string {
  const shown = points.slice(0, 3).map(([time, value]) => `${value} @${time}`)
  return `${points.length} points: ${shown.join(', ')}${points.length > 3 ? ' …' : ''}`
}
