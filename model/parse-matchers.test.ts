import { describe, expect, test } from 'vitest'
import { parseMatcher, parseMatchers } from './parse-matchers.ts'

test.each([
  ['foo=bar', 'foo', '=', 'bar'],
  ['foo="bar"', 'foo', '=', 'bar'],
  [' foo !~ "b.*" ', 'foo', '!~', 'b.*'],
  ['foo=~bar.*|x', 'foo', '=~', 'bar.*|x'],
  ['{foo!=bar}', 'foo', '!=', 'bar'],
  ['{foo="b,a}r",}', 'foo', '=', 'b,a}r'],
  ['"with space"="ü\\n\\"\\u00fc"', 'with space', '=', 'ü\n"ü'],
  ['größe=🙂', 'größe', '=', '🙂'],
  ['foo=""', 'foo', '=', ''],
  // The classic syntax only.
  ['foo=~a{2}', 'foo', '=~', 'a{2}'],
  ['foo=bar=baz', 'foo', '=', 'bar=baz'],
  ['foo="a\\d"', 'foo', '=', 'a\\d'],
  ['foo=', 'foo', '=', ''],
])('%s', (text, name, op, value) => {
  expect(parseMatcher(text)).toEqual({ name, op, value })
})

describe('is refused', () => {
  test.each(['', 'foo', '=bar', 'foo=bar,baz=qux', '{foo=bar', 'foo="bar', 'foo=~"("', '1x', 'foo="a"b"'])(
    '%s',
    (text) => {
      expect(() => parseMatcher(text)).toThrow(SyntaxError)
    },
  )
})

test('several', () => {
  expect(parseMatchers('{a=~"b.*",c!="d"}')).toEqual([
    { name: 'a', op: '=~', value: 'b.*' },
    { name: 'c', op: '!=', value: 'd' },
  ])
  expect(parseMatchers('{}')).toEqual([])
})
