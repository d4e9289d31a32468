import { describe, expect, test } from 'vitest'
import { AppError } from '../../../runtime/errors.ts'
import { parseTraceql } from './parse-traceql.ts'

describe('selectors of search forms', () => {
  test.each([
    ['{}', {}],
    [' { } ', {}],
    ['{resource.service.name="checkout" && name="GET /"}', { service: 'checkout', operation: 'GET /' }],
    ['{ .service.name = "a" }', { service: 'a' }],
    ['{duration>1s}', { minDurationNs: 1_000_000_001n }],
    ['{duration>=1.5ms && duration < 2s}', { minDurationNs: 1_500_000n, maxDurationNs: 1_999_999_999n }],
    ['{duration>1s && duration>3s}', { minDurationNs: 3_000_000_001n }],
    ['{span:duration=5us}', { minDurationNs: 5_000n, maxDurationNs: 5_000n }],
    ['{status=error && kind=client}', { status: 'error', kind: 'client' }],
    [
      '{span:status = unset && span:kind=server && span:name="x"}',
      { status: 'unset', kind: 'server', operation: 'x' },
    ],
    ['{span.http.method="GET"}', { spanAttributes: [{ key: 'http.method', value: 'GET' }] }],
    [
      '{resource.k8s.pod="p" && .a=true && span.http.status_code=503}',
      {
        attributes: [{ key: 'a', value: 'true' }],
        spanAttributes: [{ key: 'http.status_code', value: '503' }],
        resourceAttributes: [{ key: 'k8s.pod', value: 'p' }],
      },
    ],
    [
      '{span."odd name"="a \\"b\\" && {c}"}',
      { spanAttributes: [{ key: 'odd name', value: 'a "b" && {c}' }] },
    ],
    ['{name=`raw \\ text`}', { operation: 'raw \\ text' }],
    ['{name="a" && name="a"}', { operation: 'a' }],
    ['{span.x=-1.5e3}', { spanAttributes: [{ key: 'x', value: '-1.5e3' }] }],
  ])('%s', (query, filter) => {
    expect(parseTraceql(query)).toEqual(filter)
  })
})

describe('what is wrong or not supported says where', () => {
  test.each([
    ['', 1, 'expected a selector'],
    ['status=error', 1, 'expected a selector'],
    ['{status=error} | count() > 2', 16, 'pipelines'],
    ['{status=error || kind=client}', 15, '&&'],
    ['{(status=error)}', 2, 'expected a condition'],
    ['{status=error && }', 18, 'expected a condition'],
    ['{name}', 2, 'expected a condition'],
    ['{name=}', 2, 'expected a condition'],
    ['{name="open}', 2, 'expected a condition'],
    ['{name=~"a|b"}', 2, "'=~' is not supported for name"],
    ['{span.a != "b"}', 2, "'!=' is not supported for span.a"],
    ['{span.a > 5}', 2, "'>' is not supported for span.a"],
    ['{duration!=1s}', 2, "'!=' is not supported for duration"],
    ['{duration>5}', 2, "'5' is no duration"],
    ['{status=broken}', 2, 'status is one of unset, ok, error'],
    ['{status="error"}', 2, 'without quotes'],
    ['{span.a=b}', 2, "'b' is no value"],
    ['{nestedSetParent<0}', 2, "'nestedSetParent' is not supported"],
    ['{traceDuration>1s}', 2, "'traceDuration' is not supported"],
    ['{name="a" && name="b"}', 14, 'cannot be two things'],
    ['{} >> {}', 4, 'structure'],
  ])('%s', (query, column, message) => {
    const thrown = failureOf(query)
    expect(thrown.code).toBe('QUERY_PARSE_FAILED')
    expect(thrown.message).toContain(message)
    expect(thrown.details).toEqual({ position: { line: 1, column } })
  })
})

function failureOf(query: string): AppError {
  try {
    parseTraceql(query)
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown
    throw thrown
  }
  throw new Error(`parsed: ${query}`)
}
