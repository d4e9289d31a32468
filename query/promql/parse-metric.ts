import { type Labels, labelsFrom, METRIC_NAME } from '../../model/labels.ts'
import { unquoteGo } from '../../model/unquote-go.ts'
import { isMetricName } from './parse-selector.ts'
import { createTokenCursor, type TokenCursor } from './token-cursor.ts'

/**
 * Reads a series as Prometheus writes it: `up{job="a"}`, `{__name__="up"}`, `{"http.requests", "a.b"="c"}`, `{}` or nothing. Throws AppError
 * QUERY_PARSE_FAILED with the position.
 */
export function parseMetric(text: string): Labels {
  const cursor = createTokenCursor(text)
  const pairs: [string, string][] = []
  const name = isMetricName(cursor.peek()) ? cursor.next().text : null
  if (cursor.isNext('{')) pairs.push(...parseLabelSet(cursor))
  if (cursor.peek().kind !== 'eof') throw cursor.unexpected('', '')
  if (name !== null) pairs.push([METRIC_NAME, name])
  return labelsFrom(pairs)
}

function parseLabelSet(cursor: TokenCursor): [string, string][] {
  const pairs: [string, string][] = []
  cursor.next()
  while (!cursor.accept('}')) {
    const label = cursor.peek()
    if (label.kind !== 'identifier' && label.kind !== 'string') {
      throw cursor.unexpected('label set', 'identifier or "}"')
    }
    cursor.next()
    if (cursor.accept('=')) {
      if (cursor.peek().kind !== 'string') throw cursor.unexpected('label set', 'string')
      const name = label.kind === 'string' ? unquoteGo(label.text) : label.text
      pairs.push([name, unquoteGo(cursor.next().text)])
    } else if (label.kind === 'string') pairs.push([METRIC_NAME, unquoteGo(label.text)])
    else throw cursor.unexpected('label set', '"="')
    if (!cursor.accept(',') && !cursor.isNext('}')) throw cursor.unexpected('label set', '"," or "}"')
  }
  return pairs
}
