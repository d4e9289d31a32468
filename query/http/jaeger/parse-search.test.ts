import { describe, expect, test } from 'vitest'
import { parseSearch, parseTraceIds } from './parse-search.ts'
import { parseV3Search } from './parse-v3-search.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')

describe("the older API's search", () => {
  test('all parameters', () => {
    const search = parseSearch(
      {
        service: 'checkout',
        operation: 'POST /pay',
        start: '1763625600000000',
        end: '1763629200000000',
        lookback: 'custom',
        minDuration: '1.5ms',
        maxDuration: '2s',
        limit: '20',
        tags: '{"error":"true","http.status_code":"503"}',
        tag: ['span.kind:client', 'peer:a:b'],
      },
      NOW,
    )
    expect(search).toEqual({
      filter: {
        service: 'checkout',
        operation: 'POST /pay',
        kind: 'client',
        isError: true,
        minDurationNs: 1_500_000n,
        maxDurationNs: 2_000_000_000n,
        attributes: [
          { key: 'peer', value: 'a:b' },
          { key: 'http.status_code', value: '503' },
        ],
      },
      startMs: 1763625600000,
      endMs: 1763629200001,
      limit: 20,
    })
  })

  test('only a service: the last two days, 100 traces', () => {
    expect(parseSearch({ service: 'a' }, NOW)).toMatchObject({
      startMs: NOW + 1 - 2 * 86_400_000,
      endMs: NOW + 1,
      limit: 100,
    })
  })

  test('a lookback counts from the end', () => {
    expect(parseSearch({ service: 'a', end: '1763629200000000', lookback: '1h' }, NOW).startMs).toBe(
      1763629200001 - 3_600_000,
    )
  })

  test('status as a tag asks for the status', () => {
    const { filter } = parseSearch({ service: 'a', tags: '{"otel.status_code":"ERROR"}' }, NOW)
    expect(filter).toMatchObject({ status: 'error', attributes: [] })
  })

  test.each([
    [{}, "'service' is required"],
    [{ service: 'a', limit: '0' }, "'limit': expected a whole number of at least 1, found '0'"],
    [{ service: 'a', limit: 'ten' }, "'limit'"],
    [{ service: 'a', start: 'yesterday' }, "'start': expected whole microseconds"],
    [{ service: 'a', start: '2', end: '1', lookback: '1h' }, null],
    [{ service: 'a', start: '2000', end: '0' }, "'start' is after 'end'"],
    [{ service: 'a', minDuration: '5' }, "'minDuration': expected a duration"],
    [{ service: 'a', minDuration: '2s', maxDuration: '1s' }, 'the least duration is longer'],
    [{ service: 'a', tags: 'http=1' }, "'tags': expected a JSON object"],
    [{ service: 'a', tags: '{"a":1}' }, "'tags': expected a JSON object"],
    [{ service: 'a', tags: '["a"]' }, "'tags': expected a JSON object"],
    [{ service: 'a', tags: '{"span.kind":"sever"}' }, 'span.kind is'],
    [{ service: 'a', tag: 'novalue' }, "'tag': expected key:value"],
    [{ service: 'a', lookback: 'long' }, "'lookback': expected a duration"],
  ])('%j', (query, message) => {
    if (message === null) expect(() => parseSearch(query, NOW)).not.toThrow()
    else expect(() => parseSearch(query, NOW)).toThrow(message)
  })

  test('trace ids', () => {
    expect(parseTraceIds({ traceID: ['A', '0af7651916cd43dd8448eb211c80319c'] })).toEqual([
      '0000000000000000000000000000000a',
      '0af7651916cd43dd8448eb211c80319c',
    ])
    expect(() => parseTraceIds({ traceID: 'xyz' })).toThrow("'traceID': expected up to 32 hex digits")
  })
})

describe("v3's search", () => {
  const range = {
    'query.start_time_min': '2026-11-20T09:00:00.000000001Z',
    'query.start_time_max': '2026-11-20T10:00:00.000000001Z',
  }

  test('all parameters, under their older names', () => {
    const search = parseV3Search({
      ...range,
      'query.service_name': 'checkout',
      'query.operation_name': 'POST /pay',
      'query.attributes': '{"k":"v"}',
      'query.duration_min': '1ms',
      'query.duration_max': '1s',
      'query.num_traces': '7',
    })
    expect(search).toEqual({
      filter: {
        service: 'checkout',
        operation: 'POST /pay',
        attributes: [{ key: 'k', value: 'v' }],
        minDurationNs: 1_000_000n,
        maxDurationNs: 1_000_000_000n,
      },
      startMs: Date.parse('2026-11-20T09:00:00Z'),
      endMs: Date.parse('2026-11-20T10:00:00.001Z'),
      limit: 7,
    })
  })

  test('the present names win; the end is exclusive', () => {
    const search = parseV3Search({
      'query.startTimeMin': '2026-11-20T09:00:00+01:00',
      'query.startTimeMax': '2026-11-20T10:00:00Z',
      'query.serviceName': 'a',
      'query.service_name': 'b',
      'query.span_name': 'op',
      'query.searchDepth': '3',
    })
    expect(search).toMatchObject({
      filter: { service: 'a', operation: 'op' },
      startMs: Date.parse('2026-11-20T08:00:00Z'),
      endMs: NOW,
      limit: 3,
    })
  })

  test.each([
    [{}, "'query.startTimeMin' is required"],
    [{ 'query.start_time_min': '2026-11-20T09:00:00Z' }, "'query.startTimeMax' is required"],
    [{ ...range, 'query.start_time_min': '1763625600' }, 'RFC 3339'],
    [{ ...range, 'query.start_time_min': '2026-02-30T00:00:00Z' }, null],
    [{ ...range, 'query.start_time_min': '2026-13-01T00:00:00Z' }, 'RFC 3339'],
    [{ ...range, 'query.start_time_min': '2027-01-01T00:00:00Z' }, 'is after'],
    [{ ...range, 'query.num_traces': '-1' }, "'query.num_traces'"],
    [{ ...range, 'query.duration_min': '1' }, "'query.duration_min'"],
    [{ ...range, 'query.attributes': 'k=v' }, "'query.attributes': expected a JSON object"],
    [{ ...range, 'query.filter': '{}' }, "'query.filter' is not supported"],
    [{ ...range, 'query.pagination.pageToken': 'x' }, 'is not supported'],
  ])('%j', (query, message) => {
    if (message === null) expect(() => parseV3Search(query)).not.toThrow()
    else expect(() => parseV3Search(query)).toThrow(message)
  })
})
