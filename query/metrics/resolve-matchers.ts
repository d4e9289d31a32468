import { METRIC_NAME } from '../../model/labels.ts'
import { compilePattern, literalAlternatives, type Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import { type IndexMatcher, seriesNames, wantedNames } from './matcher-conditions.ts'
import { selectLabelValues, selectMetricNames, type ValuesRequest } from './select-label-values.ts'

/** More values than this are left to ClickHouse's own regular expressions. */
const MOST_VALUES = 20_000
/** So many values at most are worth looking up one by one in the index of values. */
const FEW_VALUES = 100

/**
 * Replaces patterns by the values that they match, of those that there are: patterns that ClickHouse might read differently from
 * Prometheus, and such that match few values, by which series are found without looking at all of them. Others are left as they are.
 * Throws SyntaxError for a pattern that is none, and what `Storage.select` throws.
 */
export async function resolveMatchers(
  storage: Storage,
  request: ValuesRequest & { readonly matchers: readonly Matcher[] },
): Promise<readonly IndexMatcher[]> {
  const { tenant, matchers, fromMs, signal } = request
  for (const { op, value } of matchers) if (op === '=~' || op === '!~') compilePattern(value)
  const values = { tenant, fromMs, signal }
  // Behind a name few rows are left to look at.
  const isNamed = matchers.some((matcher) => matcher.name === METRIC_NAME && wantedNames(matcher) !== null)
  return Promise.all(
    matchers.map((matcher) => {
      if (!isPlain(matcher)) return resolveForeign(storage, values, matcher)
      return isNamed || !isNarrowing(matcher) ? matcher : resolveFew(storage, values, matcher)
    }),
  )
}

async function resolveForeign(
  storage: Storage,
  request: ValuesRequest,
  matcher: Matcher,
): Promise<IndexMatcher> {
  const { name, op } = matcher
  const all =
    name === METRIC_NAME
      ? (await selectMetricNames(storage, request)).flatMap(seriesNames)
      : await selectLabelValues(storage, { ...request, name })
  const values = ['', ...all].filter(compilePattern(matcher.value))
  if (values.length > MOST_VALUES) return matcher
  return { name, op: op === '=~' ? 'in' : 'notIn', values }
}

async function resolveFew(storage: Storage, request: ValuesRequest, matcher: Matcher): Promise<IndexMatcher> {
  const { name, value: pattern } = matcher
  const values = await selectLabelValues(storage, { ...request, name, pattern, limit: FEW_VALUES + 1 })
  return values.length > FEW_VALUES ? matcher : { name, op: 'in', values }
}

/** Whether a pattern may match few values: an absent label is no value that could be looked up. */
function isNarrowing({ name, op, value }: Matcher): boolean {
  return (
    op === '=~' &&
    name !== METRIC_NAME &&
    value !== '.+' &&
    literalAlternatives(value) === null &&
    !compilePattern(value)('')
  )
}

// Letters, dots, groups, alternations, repetitions, ASCII classes and escaped signs mean the same everywhere.
const PLAIN =
  /^(?:[^\\[\](){}?*+^$|]|\\[dwsDWS.\-/+*?()[\]{}^$|\\]|\[\^?(?:[A-Za-z0-9_ .:/@-]|\\[dws.\-/])+\]|\((?:\?:|(?!\?))|\)|[*+?]|\{\d{1,2}(?:,\d{0,2})?\}|[|^$])*$/

/** Whether a matcher means to ClickHouse just what it means to Prometheus. */
export function isPlain({ op, value }: Matcher): boolean {
  return op === '=' || op === '!=' || (value.length <= 1000 && PLAIN.test(value))
}
