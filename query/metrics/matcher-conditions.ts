import { METRIC_NAME } from '../../model/labels.ts'
import { literalAlternatives, type Matcher } from '../../model/matcher.ts'
import { allOf, type BoundSql } from '../traces/bound-sql.ts'

/** What a histogram's or summary's name in `prom_series` gets behind it to be the name of one of its series. */
export const SUFFIXES = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] } as const

/**
 * The condition that a row of `prom_series` may be, or may hold, a series that matches. Exact for samples, gauges and sums; of histograms and
 * summaries, whose series are made of a row, the labels `le` and `quantile` are left to whoever makes them. Parameters begin with `m`.
 */
export function matcherConditions(matchers: readonly Matcher[]): BoundSql {
  const names = matchers.filter(({ name }) => name === METRIC_NAME)
  const others = matchers.filter(({ name }) => name !== METRIC_NAME)
  return allOf([
    ...(names.length === 0 ? [] : [nameCondition(names)]),
    ...others.map((matcher, index) => labelCondition(matcher, `m${index}`)),
  ])
}

function nameCondition(names: readonly Matcher[]): BoundSql {
  const params: Record<string, string | readonly string[]> = {}
  const holds = (expression: string) =>
    names
      .map((matcher, index) => {
        const parameter = `mName${index}`
        Object.assign(params, bind(matcher, parameter))
        return compare(matcher, expression, parameter)
      })
      .join(' AND ')
  const anySuffix = (suffixes: readonly string[]) =>
    suffixes.map((suffix) => `(${holds(suffix === '' ? 'name' : `concat(name, '${suffix}')`)})`).join(' OR ')
  const exact = names.find(({ op }) => op === '=')
  // The name is the key's second column: told as a set of names, only their part of the index is read.
  const narrow = exact === undefined ? '' : 'name IN {mNames:Array(String)} AND '
  if (exact !== undefined) params['mNames'] = candidateNames(exact.value)
  return {
    sql: `${narrow}multiIf(kind = 'histogram', ${anySuffix(SUFFIXES.histogram)}, kind = 'summary', ${anySuffix(SUFFIXES.summary)}, ${holds('name')})`,
    params,
  }
}

/** The names of rows that could hold a series of this name. */
function candidateNames(name: string): string[] {
  const bases = [...SUFFIXES.histogram].filter((suffix) => name.endsWith(suffix))
  return [name, ...bases.map((suffix) => name.slice(0, -suffix.length))]
}

function labelCondition(matcher: Matcher, parameter: string): BoundSql {
  const key = `${parameter}Key`
  const condition = compare(matcher, `labels[{${key}:String}]`, parameter)
  const made = matcher.name === 'le' ? 'histogram' : matcher.name === 'quantile' ? 'summary' : null
  return {
    sql: made === null ? condition : `(kind = '${made}' OR ${condition})`,
    params: { [key]: matcher.name, ...bind(matcher, parameter) },
  }
}

function bind(matcher: Matcher, parameter: string): Record<string, string | readonly string[]> {
  const { op, value } = matcher
  const literals = op === '=~' || op === '!~' ? literalAlternatives(value) : null
  if (literals !== null) return { [parameter]: literals }
  // RE2 as Prometheus uses it: the whole value, and a dot matches a line break.
  return { [parameter]: op === '=~' || op === '!~' ? `^(?s:${value})$` : value }
}

/** A label that a series does not have reads as '', which is what an absent label is to a matcher. */
function compare({ op, value }: Matcher, expression: string, parameter: string): string {
  if (op === '=' || op === '!=') return `${expression} ${op} {${parameter}:String}`
  const not = op === '!~' ? 'NOT ' : ''
  if (literalAlternatives(value) !== null) return `${expression} ${not}IN {${parameter}:Array(String)}`
  return `${not}match(${expression}, {${parameter}:String})`
}
