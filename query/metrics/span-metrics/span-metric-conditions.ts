import { METRIC_NAME } from '../../../model/labels.ts'
import { compileMatcher, compilePattern, literalAlternatives, type Matcher } from '../../../model/matcher.ts'
import { allOf, type BoundSql } from '../../traces/bound-sql.ts'
import type { RollUp } from '../../traces/roll-up-source.ts'
import { isPlain } from '../resolve-matchers.ts'
import { SPAN_METRIC_FAMILIES, type SpanMetricFamily } from './span-metric-families.ts'
import { SPAN_METRIC_LABELS } from './span-metric-labels.ts'

/** The families whose series can match, by their names and by which labels they have. Throws SyntaxError for a pattern that is none. */
export function matchingFamilies(matchers: readonly Matcher[]): SpanMetricFamily[] {
  const tests = matchers.map((matcher) => ({ name: matcher.name, matches: compileMatcher(matcher) }))
  return SPAN_METRIC_FAMILIES.filter((family) =>
    tests.every(({ name, matches }) => {
      if (name === METRIC_NAME) return matches(family.name)
      const isThere = name === 'le' ? family.measure === 'bucket' : hasLabel(family.rollUp, name)
      return isThere || matches('')
    }),
  )
}

/**
 * The condition on a roll-up's rows that their series may match; whoever makes the series still has to test their labels. Parameters begin with `s`.
 */
export function spanMetricConditions(rollUp: RollUp, matchers: readonly Matcher[]): BoundSql {
  return allOf(
    matchers.flatMap((matcher, index) => {
      const label = SPAN_METRIC_LABELS[rollUp].find(({ name }) => name === matcher.name)
      return label === undefined ? [] : labelCondition(label.sql, matcher, `s${index}`)
    }),
  )
}

function hasLabel(rollUp: RollUp, name: string): boolean {
  return SPAN_METRIC_LABELS[rollUp].some((label) => label.name === name)
}

function labelCondition(expression: string, matcher: Matcher, parameter: string): BoundSql[] {
  const { op, value } = matcher
  if (op === '=' || op === '!=') {
    return [{ sql: `${expression} ${op} {${parameter}:String}`, params: { [parameter]: value } }]
  }
  compilePattern(value)
  const not = op === '!~' ? 'NOT ' : ''
  const literals = literalAlternatives(value)
  if (literals !== null) {
    return [{ sql: `${expression} ${not}IN {${parameter}:Array(String)}`, params: { [parameter]: literals } }]
  }
  // What ClickHouse may read differently is tested on the labels alone.
  if (!isPlain(matcher)) return []
  return [
    { sql: `${not}match(${expression}, {${parameter}:String})`, params: { [parameter]: `^(?s:${value})$` } },
  ]
}
