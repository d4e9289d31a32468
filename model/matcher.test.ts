import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { compileMatcher, compilePattern, literalAlternatives } from './matcher.ts'

const VALUES = ['', 'a', 'b', 'ab', 'abc', 'a.c', 'a\nc', 'a|b', 'A', 'xab', 'abx', '503', '5xx']
const PATTERNS = ['', 'a', 'a|b', '.*', '.+', 'a.*', 'a.+', 'a.c', 'a\\.c', '(?i)a', 'a|', '[ab]+', '5..|5xx']

describe('matchers', () => {
  test('compare whole values', () => {
    const is = (op: '=' | '!=' | '=~' | '!~', wanted: string, value: string): boolean =>
      compileMatcher({ name: 'x', op, value: wanted })(value)
    expect(is('=', 'a', 'a')).toBe(true)
    expect(is('=', '', '')).toBe(true)
    expect(is('!=', 'a', '')).toBe(true)
    expect(is('=~', 'b', 'abc')).toBe(false)
    expect(is('=~', 'a.c', 'a\nc')).toBe(true)
    expect(is('!~', 'a|b', 'b')).toBe(false)
    expect(is('!~', 'a|b', 'c')).toBe(true)
  })

  test.each(PATTERNS)('short ways give what the automaton gives: %j', (pattern) => {
    const automaton = RE2JS.compile(`^(?s:${pattern})$`)
    const matches = compilePattern(pattern)
    expect(VALUES.filter(matches)).toEqual(VALUES.filter((value) => automaton.matches(value)))
  })

  test('know literals and alternations of literals', () => {
    expect(literalAlternatives('a|b-c')).toEqual(['a', 'b-c'])
    expect(literalAlternatives('')).toEqual([''])
    expect(literalAlternatives('a.b')).toBeNull()
  })

  test.each(['a(', 'a)(b', '[', '(?=a)', 'a**'])('refuse what is no RE2: %s', (pattern) => {
    expect(() => compileMatcher({ name: 'x', op: '=~', value: pattern })).toThrow(SyntaxError)
  })

  test('take linear time where a backtracking engine does not end', () => {
    expect(compilePattern('(a*)*b')('a'.repeat(20_000))).toBe(false)
  })
})
