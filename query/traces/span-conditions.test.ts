import { describe, expect, test } from 'vitest'
import type { AttributePlace } from './attribute-conditions.ts'
import { isSharedOnly, sharedConditions, spanConditions } from './span-conditions.ts'
import type { TraceFilter } from './trace-filter.ts'

describe('the SQL of a filter', () => {
  const golden: [string, TraceFilter, AttributePlace[], string, Record<string, unknown>][] = [
    ['nothing', {}, [], '1', {}],
    [
      'columns',
      { service: 'shop', operation: 'GET /', kind: 'server', status: 'ok', isError: false, httpStatus: 503 },
      [],
      `service = {service:String}
  AND name = {operation:String}
  AND kind = {kind:String}
  AND status_code = {status:String}
  AND is_error = {isError:Bool}
  AND http_status = {httpStatus:UInt16}`,
      { service: 'shop', operation: 'GET /', kind: 'server', status: 'ok', isError: false, httpStatus: 503 },
    ],
    [
      'flags',
      { flags: ['UO', 'UF'] },
      [],
      "hasAny(splitByChar(',', toString(response_flags)), {flags:Array(String)})",
      { flags: ['UO', 'UF'] },
    ],
    [
      'durations',
      { minDurationNs: 1n, maxDurationNs: 2n ** 70n },
      [],
      'duration_ns >= {minNs:Int64}\n  AND duration_ns <= {maxNs:Int64}',
      { minNs: 1n, maxNs: 2n ** 63n - 1n },
    ],
    ['a retry', { isRetried: true }, [], 'retry_attempt > 0', {}],
    ['a first attempt', { isRetried: false }, [], 'retry_attempt = 0', {}],
    ['a root', { isRoot: true }, [], "parent_span_id = toFixedString('', 8)", {}],
    [
      'an attribute of the rows: the index over values decides',
      { attributes: [{ key: 'k', value: 'v' }] },
      ['own'],
      'has(mapValues(attrs), {a0Value:String}) AND attrs[{a0Key:String}] = {a0Value:String}',
      { a0Key: 'k', a0Value: 'v' },
    ],
    [
      'an attribute that both have',
      { attributes: [{ key: 'k', value: 'v' }] },
      ['both'],
      '((has(mapValues(attrs), {a0Value:String}) AND attrs[{a0Key:String}] = {a0Value:String}) OR ' +
        'origin GLOBAL IN (SELECT id FROM origins WHERE tenant = {tenant:String} AND resource_attrs[{a0Key:String}] = {a0Value:String}))',
      { a0Key: 'k', a0Value: 'v' },
    ],
    [
      'an attribute of resources: the set of origins decides',
      { attributes: [{ key: 'k', value: 'v' }] },
      ['resource'],
      'origin GLOBAL IN (SELECT id FROM origins WHERE tenant = {tenant:String} AND resource_attrs[{a0Key:String}] = {a0Value:String})',
      { a0Key: 'k', a0Value: 'v' },
    ],
    [
      'an empty value is not a missing key',
      { spanAttributes: [{ key: 'k', value: '' }] },
      [],
      'has(mapValues(attrs), {s0Value:String}) AND attrs[{s0Key:String}] = {s0Value:String} AND mapContains(attrs, {s0Key:String})',
      { s0Key: 'k', s0Value: '' },
    ],
  ]

  test.each(golden)('of %s', (_, filter, places, sql, params) => {
    expect(spanConditions(filter, places)).toEqual({ sql, params })
  })

  test('never holds a value of the filter', () => {
    const evil = "'} OR 1 -- {"
    const attributes = [{ key: evil, value: evil }]
    const filter: TraceFilter = {
      service: evil,
      operation: evil,
      flags: [evil],
      attributes,
      spanAttributes: attributes,
      resourceAttributes: attributes,
      upstream: evil,
      upstreamCluster: evil,
      upstreamEndpoint: evil,
    }
    expect(spanConditions(filter, ['both']).sql).not.toContain(evil)
  })
})

describe('the roll-ups', () => {
  test.each<[boolean, TraceFilter]>([
    [true, {}],
    [true, { service: 'a', operation: 'b', kind: 'server', status: 'error', flags: ['UF'], httpStatus: 500 }],
    [true, { attributes: [], flags: [] }],
    [false, { service: 'a', minDurationNs: 1n }],
    [false, { isRetried: false }],
    [false, { attributes: [{ key: 'k', value: 'v' }] }],
    [false, { isRoot: true }],
  ])('answer (%s) for %o', (isShared, filter) => {
    expect(isSharedOnly(filter)).toBe(isShared)
    if (isShared) expect(sharedConditions(filter)).toEqual(spanConditions(filter, []))
  })
})
