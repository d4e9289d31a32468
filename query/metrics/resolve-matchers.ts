import { METRIC_NAME } from '../../model/labels.ts'
import { compilePattern, type Matcher } from '../../model/matcher.ts'
import type { Storage } from '../../storage/storage.ts'
import { type IndexMatcher, seriesNames } from './matcher-conditions.ts'
import { selectLabelValues, selectMetricNames } from './select-label-values.ts'

/** More values than this are left to ClickHouse's own regular expressions. */
const MOST_VALUES = 20_000

/**
 * Replaces patterns that ClickHouse might read differently from Prometheus by the values that they match, of those that there are. Others are
 * left as they are. Throws SyntaxError for a pattern that is none, and what `Storage.select` throws.
 */
export async function resolveMatchers(
  storage: Storage,
  request: {
    readonly tenant: string
    readonly matchers: readonly Matcher[]
    readonly fromMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<readonly IndexMatcher[]> {
  for (const { op, value } of request.matchers) if (op === '=~' || op === '!~') compilePattern(value)
  if (request.matchers.every(isPlain)) return request.matchers
  const { tenant, fromMs, signal } = request
  return Promise.all(
    request.matchers.map(async (matcher): Promise<IndexMatcher> => {
      if (isPlain(matcher)) return matcher
      const matches = compilePattern(matcher.value)
      const all =
        matcher.name === METRIC_NAME
          ? (await selectMetricNames(storage, { tenant, fromMs, signal })).flatMap(seriesNames)
          : await selectLabelValues(storage, { tenant, fromMs, signal, name: matcher.name })
      const values = ['', ...all].filter(matches)
      if (values.length > MOST_VALUES) return matcher
      return { name: matcher.name, op: matcher.op === '=~' ? 'in' : 'notIn', values }
    }),
  )
}

// Letters, dots, groups, alternations, repetitions, ASCII classes and escaped signs mean the same everywhere.
const PLAIN =
  /^(?:[^\\[\](){}?*+^$|]|\\[dwsDWS.\-/+*?()[\]{}^$|\\]|\[\^?(?:[A-Za-z0-9_ .:/@-]|\\[dws.\-/])+\]|\((?:\?:|(?!\?))|\)|[*+?]|\{\d{1,2}(?:,\d{0,2})?\}|[|^$])*$/

/** Whether a matcher means to ClickHouse just what it means to Prometheus. */
export function isPlain({ op, value }: Matcher): boolean {
  return op === '=' || op === '!=' || (value.length <= 1000 && PLAIN.test(value))
}
