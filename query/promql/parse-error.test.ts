import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import { parseExpression } from './parse-expression.ts'

/** Input, message. */
const BAD: readonly [string, string][] = [
  ['', '1:1: parse error: no expression found in input'],
  ['# just a comment\n\n', '1:1: parse error: no expression found in input'],
  ['1+', '1:3: parse error: unexpected end of input'],
  ['.', `1:1: parse error: unexpected character: '.'`],
  ['2.5.', '1:1: parse error: bad number or duration syntax: "2.5."'],
  ['0deadbeef', '1:1: parse error: bad number or duration syntax: "0de"'],
  ['1a', '1:1: parse error: bad number or duration syntax: "1"'],
  ['1 /', '1:4: parse error: unexpected end of input'],
  ['*1', '1:1: parse error: unexpected <op:*>'],
  ['(1))', `1:5: parse error: unexpected right parenthesis ')'`],
  ['((1)', '1:5: parse error: unclosed left parenthesis'],
  ['(', '1:2: parse error: unclosed left parenthesis'],
  ['1 and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
  ['1 + bool 2', '1:3: parse error: bool modifier can only be used on comparison operators'],
  ['1 !~ 1', `1:3: parse error: unexpected character after '!': '~'`],
  ['1 =~ 1', `1:3: parse error: unexpected character after '=': '~'`],
  ['1 = 1', '1:3: parse error: unexpected "="'],
  [
    '-"s"',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
  ],
  [
    '-a[5m]',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
  ],
  ['"a" + 1', '1:1: parse error: binary expression must contain only scalar and instant vector types'],
  ['a + b[1m]', '1:5: parse error: binary expression must contain only scalar and instant vector types'],
  ['foo bar', '1:5: parse error: unexpected identifier "bar"'],
  ['foo and\n  bar baz', '2:7: parse error: unexpected identifier "baz"'],
  ['{x="ü"} bar', '1:10: parse error: unexpected identifier "bar"'],
  ['1 + on(bar) foo', '1:1: parse error: vector matching only allowed between instant vectors'],
  ['foo + fill(1) 1', '1:1: parse error: filling in missing series only allowed between instant vectors'],
  ['foo or on(bar) group_left(baz) bar', '1:1: parse error: no grouping allowed for "or" operation'],
  [
    'foo + on(bar) group_left(bar) baz',
    '1:5: parse error: label "bar" must not occur in ON and GROUP clause at once',
  ],
  ['foo + group_left(baz) bar', '1:7: parse error: unexpected <group_left>'],
  ['a - on(b) ignoring(c) d', '1:11: parse error: unexpected <ignoring>'],
  ['a + on b', '1:8: parse error: unexpected identifier "b" in grouping opts, expected "("'],
  ['a + on(1) b', '1:8: parse error: unexpected number "1" in grouping opts, expected label'],
  ['foo{', '1:5: parse error: unexpected end of input inside braces'],
  ['foo{a}', '1:6: parse error: unexpected "}" in label matching, expected label matching operator'],
  ['foo{a=b}', '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  ['foo{a!b}', `1:6: parse error: unexpected character after '!' inside braces: 'b'`],
  ['foo{1}', `1:5: parse error: unexpected character inside braces: '1'`],
  ['foo{,}', '1:5: parse error: unexpected "," in label matching, expected identifier or "}"'],
  ['foo{a="b" c="d"}', '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"'],
  ['foo{{', `1:5: parse error: unexpected left brace '{'`],
  ['foo{a=~"["}', '1:5: parse error: error parsing regexp: missing closing ]: `[`'],
  ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{x=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{x!="y"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ['foo[5mm]', '1:5: parse error: bad number or duration syntax: "5mm"'],
  ['foo[5m30]', '1:5: parse error: bad number or duration syntax: "5m30"'],
  ['foo[30m5h]', '1:5: parse error: not a valid duration string: "30m5h"'],
  ['foo[0m]', '1:5: parse error: duration must be greater than 0'],
  ['foo[-1]', '1:5: parse error: duration must be greater than 0'],
  ['foo[5m:0s]', '1:8: parse error: duration must be greater than 0'],
  ['foo[5m / 0]', '1:8: parse error: division by zero'],
  [
    'foo[]',
    '1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ['foo["5m"]', `1:5: parse error: unexpected character in duration expression: '"'`],
  ['foo[x]', `1:5: parse error: unexpected character in duration expression: 'x'`],
  ['foo[', '1:5: parse error: unexpected end of input in duration expression'],
  ['foo[5m', '1:7: parse error: unclosed left bracket'],
  ['foo[5m:5m', '1:10: parse error: unclosed left bracket'],
  ['foo[5m:5m:5m]', `1:10: parse error: unexpected colon ':'`],
  ['foo]', `1:4: parse error: unexpected right bracket ']'`],
  ['foo[5m][5m]', '1:8: parse error: ranges only allowed for vector selectors'],
  ['foo offset 1m [5m]', '1:15: parse error: no offset modifiers allowed before range'],
  ['foo @ 1 [5m]', '1:9: parse error: no @ modifiers allowed before range'],
  ['sum(a)[5m]', '1:7: parse error: ranges only allowed for vector selectors'],
  ['a[5m][5m:]', '1:1: parse error: subquery is only allowed on instant vector, got matrix instead'],
  [
    '1 offset 1d',
    '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  ['foo offset 1s offset 2s', '1:1: parse error: offset may not be set multiple times'],
  [
    'foo offset',
    '1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()',
  ],
  ['foo @ bar', '1:7: parse error: unexpected identifier "bar" in @, expected timestamp'],
  ['foo @ start', '1:12: parse error: unexpected end of input in @, expected timestamp'],
  ['foo @ 1 @ 2', '1:1: parse error: @ <timestamp> may not be set multiple times'],
  ['foo @ Inf', '1:1: parse error: timestamp out of bounds for @ modifier: +Inf'],
  ['foo @ 1e20', '1:1: parse error: timestamp out of bounds for @ modifier: 100000000000000000000.000000'],
  [
    '(a) @ 1',
    '1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  ['a[1m:] anchored', '1:1: parse error: anchored modifier is not supported for subqueries'],
  ['a anchored smoothed', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
  ['sum some_metric by (test)', '1:5: parse error: unexpected identifier "some_metric"'],
  [
    'sum (some_metric) by test',
    '1:22: parse error: unexpected identifier "test" in grouping opts, expected "("',
  ],
  ['sum (some_metric) by ()', ''],
  ['sum without(==)(some_metric)', '1:13: parse error: unexpected <op:==> in grouping opts, expected label'],
  ['sum by (a foo', '1:11: parse error: unexpected identifier "foo" in grouping opts, expected "," or ")"'],
  ['sum() by (test)', '1:1: parse error: no arguments for aggregate expression provided'],
  [
    'topk(some_metric)',
    '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1',
  ],
  ['topk(some_metric,)', '1:17: parse error: trailing commas not allowed in function call args'],
  ['topk("a", some_metric)', '1:6: parse error: expected type scalar in aggregation parameter, got string'],
  [
    'count_values(5, some_metric)',
    '1:14: parse error: expected type string in aggregation parameter, got scalar',
  ],
  ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
  ['sum(1 +)', '1:8: parse error: unexpected ")" in aggregation'],
  ['sum (a) without (test) by (test)', '1:24: parse error: unexpected <by>'],
  ['floor()', '1:1: parse error: expected 1 argument(s) in call to "floor", got 0'],
  ['hour(a, b)', '1:1: parse error: expected at most 1 argument(s) in call to "hour", got 2'],
  ['label_join(a)', '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'],
  [
    'rate(foo)',
    '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
  ],
  [
    'sum(rate(x))',
    '1:10: parse error: expected type range vector in call to function "rate", got instant vector',
  ],
  [
    'label_join(a, "b", "c", 1)',
    '1:25: parse error: expected type string in call to function "label_join", got scalar',
  ],
  ['unknown_fn(x)', '1:1: parse error: unknown function with name "unknown_fn"'],
  ['Rate(x[1m])', '1:1: parse error: unknown function with name "Rate"'],
  ['info(a, b)', '1:9: parse error: expected label selectors only, got vector selector instead'],
  ['"abc', '1:1: parse error: unterminated quoted string'],
  ['"a\nb"', '1:1: parse error: unterminated quoted string'],
  ['`abc', '1:1: parse error: unterminated raw string'],
  [String.raw`"\q"`, "1:1: parse error: unknown escape sequence U+0071 'q'"],
  [String.raw`"\'"`, "1:1: parse error: unknown escape sequence U+0027 '''"],
  [String.raw`"\x4`, '1:1: parse error: escape sequence not terminated'],
  [String.raw`"\x4g"`, "1:1: parse error: illegal character U+0067 'g' in escape sequence"],
  [String.raw`"\ud800"`, '1:1: parse error: escape sequence is an invalid Unicode code point'],
  [String.raw`"\777"`, '1:1: parse error: escape sequence is an invalid Unicode code point'],
  ['ü', `1:1: parse error: unexpected character: 'ü'`],
  [
    '1e999',
    '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e999": value out of range',
  ],
  ['foo{x="a_long_value"} "a_long_value"', '1:23: parse error: unexpected string "\\"a_long_va"...'],
]

describe('what is wrong is said as Prometheus says it', () => {
  test.each(BAD.filter(([, message]) => message !== ''))('%s', (text, message) => {
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({ code: 'QUERY_PARSE_FAILED', message }),
    )
  })

  test.each(BAD.filter(([, message]) => message === ''))('%s is fine', (text) => {
    expect(() => parseExpression(text)).not.toThrow()
  })

  test('details say where', () => {
    expect(() => parseExpression('foo and\n  bar baz')).toThrow(
      expect.objectContaining({
        details: { line: 2, column: 7, start: 14, end: 17, reason: 'unexpected identifier "baz"' },
      }),
    )
  })

  test.each([
    ['mad_over_time(a[1m])', '1:1: parse error: function "mad_over_time" is not enabled'],
    ['limitk(1, a)', /limitk\(\) is experimental and must be enabled/],
    ['a[1m + 1m]', '1:3: parse error: experimental duration expression is not enabled'],
    ['a + fill(1) b', '1:5: parse error: binop fill modifiers are experimental and not enabled'],
    ['a anchored', '1:1: parse error: anchored modifier is experimental and not enabled'],
  ])('what is experimental can be left out: %s', (text, message) => {
    expect(() => parseExpression(text)).not.toThrow()
    expect(() => parseExpression(text, { allowExperimental: false })).toThrow(message)
  })
})

describe('no text does harm', () => {
  test('deep nesting is refused', () => {
    for (const text of [
      '('.repeat(1e5),
      '-'.repeat(1e5),
      `${'sum('.repeat(1e4)}a${')'.repeat(1e4)}`,
      `a[${'('.repeat(1e4)}`,
    ]) {
      expect(() => parseExpression(text)).toThrow(AppError)
    }
    expect(() => parseExpression(`a${' + a'.repeat(1000)}`)).toThrow(/nested more than 500 levels deep/)
    expect(() => parseExpression(`a${' + a'.repeat(490)}`)).not.toThrow()
    expect(() => parseExpression(`a[1m${' + 1m'.repeat(1e5)}]`)).toThrow(/duration expression is too long/)
  })

  test('long texts take linear time', () => {
    const long = 'x'.repeat(1e6)
    expect(parseExpression(`"${long}"`)).toMatchObject({ value: long })
    expect(() => parseExpression(`"${long}`)).toThrow('unterminated quoted string')
    expect(() => parseExpression(`${'1_'.repeat(1e5)}`)).toThrow(AppError)
    expect(() => parseExpression(`a{${'b="c",'.repeat(1e4)}}`)).not.toThrow()
  })

  test('whatever comes is read or refused', () => {
    const pieces = fc.constantFrom(
      ...[
        'sum',
        'by',
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        ',',
        '"a"',
        '=',
        '=~',
        '!',
        '5m',
        '1',
        '-',
        '+',
        '@',
        ':',
        '\n',
        '#',
      ],
      ...[
        'offset',
        'foo',
        'rate',
        'on',
        'group_left',
        'bool',
        '==',
        'and',
        '`',
        "'",
        '\\',
        'ü',
        '\u{1f600}',
        '\ud800',
      ],
      ...['start', 'step()', 'fill(', '.', '0x', '_', 'e', '<', '/', '^', '%', 'inf'],
    )
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 15 }).map((all) => all.join('')),
      fc.array(pieces, { maxLength: 15 }).map((all) => all.join(' ')),
      fc.string({ unit: 'binary', maxLength: 20 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseExpression(text)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AppError)
          expect((thrown as AppError).code).toBe('QUERY_PARSE_FAILED')
        }
      }),
      { numRuns: 5000 },
    )
  })
})
