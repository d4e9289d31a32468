import { METRIC_NAME } from '../../model/labels.ts'
import { literalAlternatives, type Matcher } from '../../model/matcher.ts'
import { allOf, type BoundSql } from '../traces/bound-sql.ts'

/** A matcher, or one whose pattern was replaced by the values that it matches (`''`: an absent label). */
export type IndexMatcher =
  | Matcher
  | { readonly name: string; readonly op: 'in' | 'notIn'; readonly values: readonly string[] }

/** What a histogram's or summary's name in `prom_series` gets behind it to be the name of one of its series. */
export const SUFFIXES = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] } as const

/** The names of the series that a row of the index makes. */
export function seriesNames({ name, kind }: { readonly name: string; readonly kind: string }): string[] {
  return kind === 'histogram' || kind === 'summary'
    ? SUFFIXES[kind].map((suffix) => `${name}${suffix}`)
    : [name]
}

/**
 * The condition that a row of the index may be, or may hold, a series that matches. Exact for samples, gauges and sums; of histograms and
 * summaries, whose series are made of a row, the labels `le` and `quantile` are left to whoever makes them. Parameters begin with `m`.
 */
export function matcherConditions(matchers: readonly IndexMatcher[]): BoundSql {
  const names = matchers.filter(({ name }) => name === METRIC_NAME)
  const others = matchers.filter(({ name }) => name !== METRIC_NAME)
  return allOf([
    ...(names.length === 0 ? [] : [nameCondition(names)]),
    ...others.map((matcher, index) => labelCondition(matcher, `m${index}`)),
  ])
}

function nameCondition(names: readonly IndexMatcher[]): BoundSql {
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
  const wanted = names.map(wantedNames).find((list) => list !== null) ?? null
  // The name is the key's second column: told as a set of names, only their part of the index is read.
  const narrow = wanted === null ? '' : 'name IN {mNames:Array(String)} AND '
  if (wanted !== null) params['mNames'] = [...new Set(wanted.flatMap(candidateNames))]
  return {
    sql: `${narrow}multiIf(kind = 'histogram', ${anySuffix(SUFFIXES.histogram)}, kind = 'summary', ${anySuffix(SUFFIXES.summary)}, ${holds('name')})`,
    params,
  }
}

/** The only names that can match, when they are told one by one. */
export function wantedNames(matcher: IndexMatcher): readonly string[] | null {
  if ('values' in matcher) return matcher.op === 'in' ? matcher.values : null
  if (matcher.op === '=') return [matcher.value]
  return matcher.op === '=~' ? literalAlternatives(matcher.value) : null
}

/** The names of rows that could hold a series of this name. */
function candidateNames(name: string): string[] {
  const bases = SUFFIXES.histogram.filter((suffix) => name.endsWith(suffix))
  return [name, ...bases.map((suffix) => name.slice(0, -suffix.length))]
}

function labelCondition(matcher: IndexMatcher, parameter: string): BoundSql {
  const key = `${parameter}Key`
  // `job` has a column of its own, behind the name in the key.
  const condition = compare(matcher, matcher.name === 'job' ? 'job' : `labels[{${key}:String}]`, parameter)
  const made = matcher.name === 'le' ? 'histogram' : matcher.name === 'quantile' ? 'summary' : null
  return {
    sql: made === null ? condition : `(kind = '${made}' OR ${condition})`,
    params: { [key]: matcher.name, ...bind(matcher, parameter) },
  }
}

function bind(matcher: IndexMatcher, parameter: string): Record<string, string | readonly string[]> {
  if ('values' in matcher) return { [parameter]: matcher.values }
  const { op, value } = matcher
  const literals = op === '=~' || op === '!~' ? literalAlternatives(value) : null
  if (literals !== null) return { [parameter]: literals }
  return { [parameter]: op === '=~' || op === '!~' ? anchoredPattern(value) : value }
}

/** RE2 as Prometheus uses it: the whole value, and a dot matches a line break. */
export function anchoredPattern(pattern: string): string {
  return `^(?s:${pattern})$`
}

/** A label that a series does not have reads as '', which is what an absent label is to a matcher. */
function compare(matcher: IndexMatcher, expression: string, parameter: string): string {
  if ('values' in matcher) {
    return `${expression} ${matcher.op === 'in' ? '' : 'NOT '}IN {${parameter}:Array(String)}`
  }
  const { op, value } = matcher
  if (op === '=' || op === '!=') return `${expression} ${op} {${parameter}:String}`
  const not = op === '!~' ? 'NOT ' : ''
  if (literalAlternatives(value) !== null) return `${expression} ${not}IN {${parameter}:Array(String)}`
  return `${not}match(${expression}, {${parameter}:String})`
}
