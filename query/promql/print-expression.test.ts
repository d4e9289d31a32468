import { describe, expect, test } from 'vitest'
import { expressionJson } from './expression-json.ts'
import { formatExpression } from './format-expression.ts'
import { parseExpression } from './parse-expression.ts'
import { printExpression, printNumber } from './print-expression.ts'

describe('expressions', () => {
  test.each([
    ['sum(rate(x[5m]))by(job)', 'sum by (job) (rate(x[5m]))'],
    ['sum by () (a)', 'sum(a)'],
    ['sum without () (a)', 'sum without () (a)'],
    ['TOPK(5,a)', 'topk(5, a)'],
    ['a{z="1",b=\'2\'}', 'a{b="2",z="1"}'],
    ['{__name__="a"}', '{__name__="a"}'],
    ['{"a.b","c d"="e"}', '{"c d"="e",__name__="a.b"}'],
    ['a  AND  on (x) b', 'a and on (x) b'],
    ['a*on()group_left b', 'a * on () group_left () b'],
    ['a>bool ignoring(x)b', 'a > bool ignoring (x) b'],
    ['a + fill_right(2) fill_left(1) b', 'a + fill_left (1) fill_right (2) b'],
    ['a[90s] offset -1h @ 1.5', 'a[1m30s] @ 1.500 offset -1h'],
    ['a[300]', 'a[5m]'],
    ['a[0.0005]', 'a[0.0005]'],
    ['a[1h:]@end()', 'a[1h:] @ end()'],
    ['a[5m*2:step()]', 'a[5m * 2:step()]'],
    ['a smoothed offset 1m', 'a smoothed offset 1m'],
    ['-(1)+-a', '-(1) + -a'],
    ['1e3+0x10+5m+.5', '1000 + 16 + 5m + 0.5'],
    ['"a\\x41\\t\'"', '"aA\\t\'"'],
    ['time ( )', 'time()'],
  ])('%s is printed %s', (text, printed) => {
    expect(printExpression(parseExpression(text))).toBe(printed)
  })

  test.each([
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [-1.25e-10, '-0.000000000125'],
    [1.7976931348623157e308, `17976931348623157${'0'.repeat(292)}`],
    [0.1, '0.1'],
    [-0, '-0'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
  ])('numbers have no exponent: %d', (value, printed) => {
    expect(printNumber(value)).toBe(printed)
  })

  test('are laid out when they are too long for a line', () => {
    const text =
      'sum by (destination_service) (rate(istio_requests_total{response_code=~"5.*",reporter="source"}[5m])) / on (destination_service) group_left sum(label_replace(rate(istio_requests_total{reporter="source"}[5m]), "a", "$1", "destination_service", "(.*)")) > 0.05'
    const laidOut = formatExpression(parseExpression(text))
    expect(laidOut).toBe(`    sum by (destination_service) (
      rate(istio_requests_total{reporter="source",response_code=~"5.*"}[5m])
    )
  / on (destination_service) group_left ()
    sum(
      label_replace(
        rate(istio_requests_total{reporter="source"}[5m]),
        "a",
        "$1",
        "destination_service",
        "(.*)"
      )
    )
>
  0.05`)
    expect(printExpression(parseExpression(laidOut))).toBe(printExpression(parseExpression(text)))
    expect(formatExpression(parseExpression('a+b'))).toBe('a + b')
  })

  test('become the JSON of parse_query', () => {
    expect(
      expressionJson(
        parseExpression('sum without(x) (rate(a{b=~"c"}[5m] offset 1m @ end())) / on(d) group_left(e) -f'),
      ),
    ).toEqual({
      type: 'binaryExpr',
      op: '/',
      bool: false,
      matching: {
        card: 'many-to-one',
        labels: ['d'],
        on: true,
        include: ['e'],
        fillValues: { lhs: null, rhs: null },
      },
      lhs: {
        type: 'aggregation',
        op: 'sum',
        param: null,
        grouping: ['x'],
        without: true,
        expr: {
          type: 'call',
          func: { name: 'rate', argTypes: ['matrix'], variadic: 0, returnType: 'vector' },
          args: [
            {
              type: 'matrixSelector',
              name: 'a',
              range: 300_000,
              rangeExpr: null,
              offset: 60_000,
              offsetExpr: null,
              timestamp: null,
              startOrEnd: 'end',
              matchers: [
                { name: 'b', value: 'c', type: '=~' },
                { name: '__name__', value: 'a', type: '=' },
              ],
              anchored: false,
              smoothed: false,
            },
          ],
        },
      },
      rhs: {
        type: 'unaryExpr',
        op: '-',
        expr: {
          type: 'vectorSelector',
          name: 'f',
          offset: 0,
          offsetExpr: null,
          timestamp: null,
          startOrEnd: null,
          matchers: [{ name: '__name__', value: 'f', type: '=' }],
          anchored: false,
          smoothed: false,
        },
      },
    })
  })

  const minute = { type: 'numberLiteral', val: '60', duration: true }
  const step = { type: 'durationExpr', op: 'step', lhs: null, rhs: null, wrapped: false }
  test.each<[string, object]>([
    ['a[1m]', { rangeExpr: null }],
    ['a[step()]', { rangeExpr: step }],
    [
      'a[1m * 2]',
      { rangeExpr: { op: '*', lhs: minute, rhs: { val: '2', duration: false }, wrapped: false } },
    ],
    ['a[(1m)]', { rangeExpr: { op: '+', lhs: null, rhs: minute, wrapped: true } }],
    ['a[(1m + step())]', { rangeExpr: { op: '+', lhs: minute, rhs: step, wrapped: true } }],
    ['a[-1m + 2m]', { rangeExpr: { lhs: { val: '-60', duration: true }, rhs: { val: '120' } } }],
    ['a offset -step()', { offset: 0, offsetExpr: { op: '-', lhs: null, rhs: step } }],
    ['a offset min_of(1m, step())', { offsetExpr: { op: 'min_of', lhs: minute, rhs: step } }],
    ['a[1m:step()]', { rangeExpr: null, stepExpr: step, offsetExpr: null }],
  ])('%s becomes JSON with its computed durations', (text, expected) => {
    expect(expressionJson(parseExpression(text))).toMatchObject(expected)
  })
})
