import { describe, expect, test } from 'vitest'
import { parseValues } from './parse-series.ts'
import { countsByIndex, storedResetHints } from './stored-reset-hints.ts'

function hints(text: string): unknown[] {
  return storedResetHints(parseValues(text)).map((value) =>
    value.kind === 'histogram' ? value.histogram.counterResetHint : value.kind,
  )
}

const small = '{{schema:0 sum:1 count:2 buckets:[1 1]}}'
const large = '{{schema:0 sum:2 count:4 buckets:[2 2]}}'

describe('the hints that storage gives back', () => {
  test.each<[string, string, unknown[]]>([
    ['a growing counter', `${small} ${large} ${large}`, ['unknown', 'not_reset', 'not_reset']],
    ['a smaller count', `${large} ${small} ${large}`, ['unknown', 'reset', 'not_reset']],
    [
      'a bucket that shrinks while the count grows',
      `${small} {{schema:0 sum:1 count:9 buckets:[0 9]}}`,
      ['unknown', 'reset'],
    ],
    [
      'a zero bucket that shrinks',
      '{{count:2 z_bucket:2}} {{count:3 z_bucket:1 buckets:[2]}}',
      ['unknown', 'reset'],
    ],
    ['another resolution', `${small} {{schema:1 sum:2 count:4 buckets:[2 2]}}`, ['unknown', 'unknown']],
    [
      'other bounds',
      '{{schema:-53 count:2 custom_values:[1] buckets:[1 1]}} {{schema:-53 count:2 custom_values:[2] buckets:[1 1]}}',
      ['unknown', 'unknown'],
    ],
    ['what was missed', `${small} _ ${large}`, ['unknown', 'missing', 'not_reset']],
    ['a float between', `${small} 1 ${large}`, ['unknown', 'float', 'unknown']],
    ['an end between', `${small} stale ${large}`, ['unknown', 'stale', 'unknown']],
    [
      'gauges',
      '{{count:2 counter_reset_hint:gauge buckets:[2]}} {{count:1 counter_reset_hint:gauge buckets:[1]}} {{count:1 buckets:[1]}}',
      ['gauge', 'gauge', 'unknown'],
    ],
    [
      'a reset that was written',
      `${small} {{schema:0 count:4 counter_reset_hint:reset buckets:[2 2]}}`,
      ['unknown', 'reset'],
    ],
    [
      'what was written of no reset',
      `{{count:2 counter_reset_hint:not_reset buckets:[2]}} {{count:1 counter_reset_hint:not_reset buckets:[1]}}`,
      ['unknown', 'reset'],
    ],
  ])('of %s', (_, text, expected) => {
    expect(hints(text)).toEqual(expected)
  })

  test('leave everything else as it was', () => {
    const values = parseValues(`${small} 1 _`)
    const [histogram, ...others] = storedResetHints(values)
    expect(others).toEqual(values.slice(1))
    expect(histogram).toMatchObject({ kind: 'histogram', histogram: { sum: 1, count: 2 } })
  })
})

describe('counts by index', () => {
  test('are of all spans, without empty buckets', () => {
    const spans = [
      { offset: -2, length: 2 },
      { offset: 3, length: 1 },
    ]
    expect([...countsByIndex(spans, [1, 0, 5])]).toEqual([
      [-2, 1],
      [3, 5],
    ])
  })
})
