import { describe, expect, test } from 'vitest'
import { type Expr, typeOf } from './ast.ts'
import { parseExpression } from './parse-expression.ts'
import { printExpression } from './print-expression.ts'

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

/** Reads an expression whose types would be refused, inside of a function that takes anything. */
function parseShape(text: string): Expr {
  try {
    return parseExpression(text)
  } catch {
    const inner = parseExpression(text.replace(/^-/, ''))
    return { kind: 'unary', op: '-', expr: inner, range: inner.range }
  }
}
