import { type Labels, labelsKey, labelsText } from '../../model/labels.ts'
import type { SequenceValue } from '../../query/promql/promqltest/parse-series.ts'
import type { EvalCommand, ExpectedResult } from '../../query/promql/promqltest/parse-test-script.ts'
import type { MatrixSeries, QueryResult, VectorSample } from '../../query/promql/query-engine.ts'
import { compareValue, isAlmostEqual, showValue } from './compare-values.ts'

/** What is wrong with a result; null when it is as expected. */
export function compareResult(command: EvalCommand, result: QueryResult): string | null {
  const { when, result: expected } = command
  switch (result.type) {
    case 'string':
      if (expected.kind !== 'string') return 'a string'
      return expected.value === result.value ? null : `got ${JSON.stringify(result.value)}`
    case 'scalar':
      if (expected.kind !== 'scalar') return 'a scalar'
      return isAlmostEqual(expected.value, result.value) ? null : `got ${result.value}, not ${expected.value}`
    case 'vector':
      return compareVector(command, result.vector)
    case 'matrix': {
      const range = 'timeMs' in when ? (expected.kind === 'series' ? expected.range : null) : when
      if (range === null) return 'a matrix'
      const times: number[] = []
      for (let time = range.startMs; time <= range.endMs; time += range.stepMs) times.push(time)
      return compareMatrix(expected, result.matrix, times, true)
    }
  }
}

/**
 * Holds a matrix against expected series, of which value i belongs to `times[i]`. Points at other times are wrong when `isWhole`, and are not
 * looked at otherwise.
 */
export function compareMatrix(
  expected: ExpectedResult,
  matrix: readonly MatrixSeries[],
  times: readonly number[],
  isWhole = false,
): string | null {
  const wanted = new Map<string, Map<number, SequenceValue>>()
  for (const { labels, values } of expectedSeries(expected)) {
    const points = new Map<number, SequenceValue>()
    for (const [index, value] of values.entries()) {
      if (value.kind !== 'missing') points.set(times[index] ?? Number.NaN, value)
    }
    wanted.set(labelsKey(labels), points)
  }
  for (const { labels, timestamps, values, histograms } of matrix) {
    const points = wanted.get(labelsKey(labels))
    for (const [index, time] of timestamps.entries()) {
      if (!isWhole && !times.includes(time)) continue
      const actual = { value: values[index] as number, histogram: histograms?.[index] }
      const problem = compareValue(points?.get(time), actual)
      if (problem !== null) return `${labelsText(labels)} at ${time} ms: ${problem}`
      points?.delete(time)
    }
  }
  for (const [key, points] of wanted) {
    for (const time of points.keys()) return `${key} has nothing at ${time} ms`
  }
  return null
}

function compareVector(
  { result: expected, isOrdered }: EvalCommand,
  vector: readonly VectorSample[],
): string | null {
  if (expected.kind !== 'series') return 'a vector'
  const found = vector.map((sample) => ({ ...sample, key: labelsKey(sample.labels) }))
  const wanted = expectedSeries(expected)
  if (isOrdered) {
    const order = found.findIndex(({ key }, index) => key !== labelsKey(wanted[index]?.labels ?? ['?']))
    if (order !== -1) return `${labelsText(found[order]?.labels ?? [])} in the wrong place`
  }
  const byKey = new Map(found.map((sample) => [sample.key, sample]))
  if (byKey.size !== found.length) return 'equal labels twice'
  for (const { labels, values } of wanted) {
    const key = labelsKey(labels)
    const sample = byKey.get(key)
    if (sample === undefined) return `${labelsText(labels)} is missing`
    const problem = compareValue(values[0], sample)
    if (problem !== null) return `${labelsText(labels)}: ${problem}`
    byKey.delete(key)
  }
  for (const sample of byKey.values()) return `unexpected ${labelsText(sample.labels)} ${showValue(sample)}`
  return null
}

function expectedSeries(
  expected: ExpectedResult,
): readonly { readonly labels: Labels; readonly values: readonly SequenceValue[] }[] {
  // Of what is expected of one series the last counts, as in Prometheus' runner.
  if (expected.kind === 'series') {
    return [...new Map(expected.series.map((one) => [labelsKey(one.labels), one])).values()]
  }
  if (expected.kind === 'scalar') return [{ labels: [], values: [{ kind: 'float', value: expected.value }] }]
  return []
}
