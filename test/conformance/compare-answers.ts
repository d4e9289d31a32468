import { labelsKey, labelsText } from '../../model/labels.ts'
import type { MatrixSeries, QueryResult } from '../../query/promql/query-engine.ts'
import { type ActualValue, differenceOf, isAlmostEqual, showValue } from './compare-values.ts'

/** In what two answers to the same question differ, annotations included; null when in nothing. The order of a vector's elements does not matter. */
export function compareAnswers(a: QueryResult, b: QueryResult): string | null {
  for (const kind of ['warnings', 'infos'] as const) {
    const [mine, theirs] = [a[kind], b[kind]].map((notes) => [...notes].sort().join('; '))
    if (mine !== theirs) return `${kind} ${JSON.stringify(mine)} and ${JSON.stringify(theirs)}`
  }
  if (a.type === 'vector' && b.type === 'vector') {
    return compareSeries(
      a.vector.map(({ labels, ...sample }) => ({ labels, points: new Map([[0, sample]]) })),
      b.vector.map(({ labels, ...sample }) => ({ labels, points: new Map([[0, sample]]) })),
    )
  }
  if (a.type === 'matrix' && b.type === 'matrix')
    return compareSeries(a.matrix.map(toPoints), b.matrix.map(toPoints))
  if (a.type === 'scalar' && b.type === 'scalar') {
    return isAlmostEqual(a.value, b.value) ? null : `${a.value} and ${b.value}`
  }
  if (a.type === 'string' && b.type === 'string')
    return a.value === b.value ? null : `${a.value} and ${b.value}`
  return `a ${a.type} and a ${b.type}`
}

interface Points {
  readonly labels: MatrixSeries['labels']
  readonly points: ReadonlyMap<number, ActualValue>
}

function toPoints({ labels, timestamps, values, histograms }: MatrixSeries): Points {
  const points = new Map<number, ActualValue>()
  for (const [index, time] of timestamps.entries()) {
    points.set(time, { value: values[index] as number, histogram: histograms?.[index] })
  }
  return { labels, points }
}

function compareSeries(a: readonly Points[], b: readonly Points[]): string | null {
  if (a.length !== b.length) return `${a.length} and ${b.length} series`
  const others = new Map(b.map((series) => [labelsKey(series.labels), series.points]))
  for (const { labels, points } of a) {
    const theirs = others.get(labelsKey(labels))
    if (theirs === undefined) return `only one has ${labelsText(labels)}`
    if (points.size !== theirs.size)
      return `${points.size} and ${theirs.size} points of ${labelsText(labels)}`
    for (const [time, mine] of points) {
      const other = theirs.get(time)
      if (other === undefined) return `only one has ${labelsText(labels)} at ${time} ms`
      if (!areEqual(mine, other)) return `${labelsText(labels)}: ${showValue(mine)} and ${showValue(other)}`
    }
  }
  return null
}

function areEqual(a: ActualValue, b: ActualValue): boolean {
  const [mine, theirs] = [a.histogram ?? null, b.histogram ?? null]
  if (mine === null || theirs === null) return mine === theirs && isAlmostEqual(a.value, b.value)
  return differenceOf(mine, theirs, true) === null
}
