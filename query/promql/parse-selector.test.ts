import { describe, expect, test } from 'vitest'
import { parseMetric } from './parse-metric.ts'
import { parseSelector } from './parse-selector.ts'

describe('selectors alone', () => {
  test('are read', () => {
    expect(parseSelector('up{job!~"a"}')).toEqual([
      { name: 'job', op: '!~', value: 'a' },
      { name: '__name__', op: '=', value: 'up' },
    ])
    expect(parseSelector('{}')).toEqual([])
    expect(parseSelector('sum')).toEqual([{ name: '__name__', op: '=', value: 'sum' }])
  })

  test.each([
    ['', '1:1: parse error: unexpected end of input'],
    ['up[5m]', '1:3: parse error: unexpected "["'],
    ['1', '1:1: parse error: unexpected number "1"'],
    ['{a="b"', '1:7: parse error: unexpected end of input inside braces'],
  ])('are refused: %j', (text, message) => {
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ message }))
  })
})

describe('series', () => {
  test('are read', () => {
    expect(parseMetric('up {b="2", a="1",}')).toEqual(['__name__', 'up', 'a', '1', 'b', '2'])
    expect(parseMetric('')).toEqual([])
    expect(parseMetric('{"a.b", "c.d"="e"}')).toEqual(['__name__', 'a.b', 'c.d', 'e'])
  })

  test.each([
    ['up{a=1}', `1:6: parse error: unexpected character inside braces: '1'`],
    ['up{a=b}', '1:6: parse error: unexpected identifier "b" in label set, expected string'],
    ['up{a=~"b"}', '1:5: parse error: unexpected <op:=~> in label set, expected "="'],
    ['up{a="b" c="d"}', '1:10: parse error: unexpected identifier "c" in label set, expected "," or "}"'],
    ['up 1', '1:4: parse error: unexpected number "1"'],
  ])('are refused: %j', (text, message) => {
    expect(() => parseMetric(text)).toThrow(expect.objectContaining({ message }))
  })
})
