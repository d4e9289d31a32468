import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../runtime/errors.ts'
import { arbitraryPromql } from '../../test/support/arbitrary-promql.ts'
import { type Expr, typeOf } from './ast.ts'
import { parseExpression } from './parse-expression.ts'
import { printExpression } from './print-expression.ts'
import { parseTestScript } from './promqltest/parse-test-script.ts'

const CORPUS = resolve(import.meta.dirname, '../../../shared/prometheus-tests/promql')

describe('numbers', () => {
  test.each<[string, number]>([
    ['1', 1],
    ['+0.5', 0.5],
    ['-.5', -0.5],
    ['1.', 1],
    ['1e3', 1000],
    ['1_000_000', 1e6],
    ['0x1F', 31],
    ['0X_ff', 255],
    ['017', 15],
    ['08', 8],
    ['Inf', Number.POSITIVE_INFINITY],
    ['-iNf', Number.NEGATIVE_INFINITY],
    ['NaN', Number.NaN],
    ['5m', 300],
    ['1h30m', 5400],
    ['-250ms', -0.25],
    ['--1', 1],
  ])('%s', (text, value) => {
    expect(parseExpression(text)).toMatchObject({ kind: 'number', value })
  })
})

describe('precedence', () => {
  test.each([
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 * 2 + 3', '((1 * 2) + 3)'],
    ['a ^ b ^ c', '(a ^ (b ^ c))'],
    ['a - b - c', '((a - b) - c)'],
    ['a / b % c atan2 d', '(((a / b) % c) atan2 d)'],
    ['-1 ^ 2', '-(1 ^ 2)'],
    ['-1^2', '-(1 ^ 2)'],
    ['-a * b', '(-a * b)'],
    ['2 ^ -3 * 4', '((2 ^ -3) * 4)'],
    ['2 ^ -a ^ 2 * 4', '((2 ^ -(a ^ 2)) * 4)'],
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a == b + c', '(a == (b + c))'],
    ['a > b > c', '((a > b) > c)'],
    ['a and b > c or d', '((a and (b > c)) or d)'],
    ['a + b offset 5m', '(a + b offset 5m)'],
    ['-a[5m:] offset 1m', '-a[5m:] offset 1m'],
    ['a offset 1m + b', '(a offset 1m + b)'],
    ['a offset -2^2', '(a offset -2s ^ 2)'],
    ['a + on (x) b * c', '(a + (b * c))'],
  ])('%s', (text, grouped) => {
    const group = (expr: Expr): string => {
      if (expr.kind === 'binary') return `(${group(expr.lhs)} ${expr.op} ${group(expr.rhs)})`
      return expr.kind === 'unary' ? expr.op + group(expr.expr) : printExpression(expr)
    }
    // A subquery of a vector with a sign is of no use; only its shape is looked at here.
    const isMatrix = text.includes('[')
    expect(group(isMatrix ? parseShape(text) : parseExpression(text))).toBe(grouped)
  })
})

describe('the tree', () => {
  test('of a selector', () => {
    expect(parseExpression('foo{a="b", c=~"d|e"} @ 1.5 offset 1m')).toEqual({
      kind: 'vectorSelector',
      name: 'foo',
      matchers: [
        { name: 'a', op: '=', value: 'b' },
        { name: 'c', op: '=~', value: 'd|e' },
        { name: '__name__', op: '=', value: 'foo' },
      ],
      bounds: '',
      offsetMs: 60_000,
      offsetExpr: null,
      at: { kind: 'time', ms: 1500 },
      range: { start: 0, end: 36 },
    })
  })

  test('of names that need quotes', () => {
    expect(parseExpression('{"http.requests", "a.b"!="c"}')).toMatchObject({
      name: '',
      matchers: [
        { name: '__name__', op: '=', value: 'http.requests' },
        { name: 'a.b', op: '!=', value: 'c' },
      ],
    })
    expect(parseExpression('sum by ("a.b", on) (x)')).toMatchObject({ grouping: ['a.b', 'on'] })
  })

  test('of words that are names where they are not meant', () => {
    expect(parseExpression('sum{by="x"} + offset')).toMatchObject({
      lhs: { name: 'sum' },
      rhs: { name: 'offset' },
    })
    expect(parseExpression('fill + fill(1) fill')).toMatchObject({
      lhs: { name: 'fill' },
      rhs: { name: 'fill' },
      matching: { fillLeft: 1, fillRight: 1 },
    })
    expect(parseExpression('start offset 1m')).toMatchObject({ name: 'start', offsetMs: 60_000 })
    expect(parseExpression('sum offset 1m')).toMatchObject({ name: 'sum', offsetMs: 60_000 })
  })

  test('of matching', () => {
    expect(parseExpression('a / on(x) group_left(y) b')).toMatchObject({
      matching: { card: 'many-to-one', isOn: true, labels: ['x'], include: ['y'] },
    })
    expect(parseExpression('a and ignoring(x) b')).toMatchObject({
      matching: { card: 'many-to-many', isOn: false, labels: ['x'] },
    })
    expect(parseExpression('a * 2')).toMatchObject({ matching: null })
    expect(parseExpression('a * fill_right(3) b')).toMatchObject({
      matching: { fillLeft: null, fillRight: 3 },
    })
  })

  test('of ranges and subqueries', () => {
    expect(parseExpression('foo[5m] offset 1d @ end()')).toMatchObject({
      kind: 'matrixSelector',
      rangeMs: 300_000,
      selector: { offsetMs: 86_400_000, at: { kind: 'end' }, range: { start: 0, end: 3 } },
      range: { start: 0, end: 25 },
    })
    expect(parseExpression('rate(foo[1m])[1h:]')).toMatchObject({
      kind: 'subquery',
      rangeMs: 3_600_000,
      stepMs: 0,
    })
    expect(parseExpression('foo[1.5h]'.replace('1.5h', '90m')).range).toEqual({ start: 0, end: 8 })
    expect(parseExpression('foo[5m:30]')).toMatchObject({ stepMs: 30_000 })
  })

  test('of computed durations', () => {
    expect(parseExpression('foo[5m * 2]')).toMatchObject({
      rangeMs: 600_000,
      rangeExpr: { kind: 'binary', op: '*' },
    })
    expect(parseExpression('foo[step()]')).toMatchObject({
      rangeMs: 0,
      rangeExpr: { kind: 'call', name: 'step' },
    })
    expect(parseExpression('foo offset -(1m+1)')).toMatchObject({ offsetMs: -61_000 })
    expect(parseExpression('foo[2m:min_of(step(), 1m)]')).toMatchObject({ stepExpr: { op: 'min_of' } })
  })

  test('has the types of Prometheus', () => {
    expect(
      ['1', '"a"', 'a', 'a[1m]', 'a[1m:]', 'rate(a[1m])', 'time()', '1 + 1', '1 + a', '-(2)', 'sum(a)'].map(
        (text) => typeOf(parseExpression(text)),
      ),
    ).toEqual([
      'scalar',
      'string',
      'vector',
      'matrix',
      'matrix',
      'vector',
      'scalar',
      'scalar',
      'vector',
      'scalar',
      'vector',
    ])
  })

  test('knows where everything stands', () => {
    const text = 'sum by (a) (rate(foo{b="c"}[5m])) / 2'
    const expr = parseExpression(text)
    const written: string[] = []
    const visit = (node: Expr): void => {
      written.push(text.slice(node.range.start, node.range.end))
      if (node.kind === 'binary') [node.lhs, node.rhs].forEach(visit)
      if (node.kind === 'aggregate') visit(node.expr)
      if (node.kind === 'call') node.args.forEach(visit)
    }
    visit(expr)
    expect(written).toEqual([
      text,
      'sum by (a) (rate(foo{b="c"}[5m]))',
      'rate(foo{b="c"}[5m])',
      'foo{b="c"}[5m]',
      '2',
    ])
  })

  test('leaves comments and line breaks out', () => {
    expect(printExpression(parseExpression('sum( # all\n  a # the metric\n)\r\n# end'))).toBe('sum(a)')
  })

  test('has strings with every escape', () => {
    const value = (text: string): unknown => {
      const expr = parseExpression(text)
      return expr.kind === 'string' && expr.value
    }
    expect(value(String.raw`"\a\b\f\n\r\t\v\\\"\x41\101\u00e9\U0001f600'"`)).toBe(
      '\x07\b\f\n\r\t\v\\"AA\u00e9\u{1f600}\'',
    )
    expect(value(String.raw`'\'"'`)).toBe(`'"`)
    expect(value('`a\\n\n`')).toBe('a\\n\n')
    expect(value(String.raw`"\xc3\xa9\xff"`)).toBe('\u00e9\ufffd')
  })
})

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
  ['foo[1m - 2m]', '1:5: parse error: duration must be greater than 0'],
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

describe('printing', () => {
  test('reads as the same expression again', () => {
    fc.assert(
      fc.property(arbitraryPromql, (text) => {
        // Put together from pieces of the right types, some come out grouped so that Prometheus refuses them.
        fc.pre(!isRefused(text))
        expectSameAfterPrinting(text)
      }),
      { numRuns: 2000 },
    )
  })

  test.skipIf(!existsSync(CORPUS))("reads as the same expression again: Prometheus' own scripts", () => {
    const expressions = readdirSync(CORPUS)
      .filter((file) => file.endsWith('.test'))
      .flatMap((file) => parseTestScript(readFileSync(join(CORPUS, file), 'utf8')))
      .flatMap((command) => (command.kind === 'eval' ? [command.expr] : []))
    expect(expressions.length).toBeGreaterThan(1000)
    for (const text of expressions) expectSameAfterPrinting(text)
  })
})

function isRefused(text: string): boolean {
  try {
    parseExpression(text)
    return false
  } catch {
    return true
  }
}

function expectSameAfterPrinting(text: string): void {
  const expr = parseExpression(text)
  const printed = printExpression(expr)
  const again = parseExpression(printed)
  expect(withoutPositions(again), `${text} printed as ${printed}`).toEqual(withoutPositions(expr))
  expect(printExpression(again)).toBe(printed)
}

/** The tree without positions; the order of matchers means nothing. */
function withoutPositions(expr: Expr): unknown {
  const text = JSON.stringify(expr, (key, value) => {
    if (key === 'range') return undefined
    if (key === 'matchers') return value.map((matcher: unknown) => JSON.stringify(matcher)).sort()
    return typeof value === 'number' ? String(value) : value
  })
  return JSON.parse(text)
}

/** Reads an expression whose types would be refused, inside of a function that takes anything. */
function parseShape(text: string): Expr {
  try {
    return parseExpression(text)
  } catch {
    const inner = parseExpression(text.replace(/^-/, ''))
    return { kind: 'unary', op: '-', expr: inner, range: inner.range }
  }
}
