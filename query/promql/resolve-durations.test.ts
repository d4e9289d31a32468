import { describe, expect, test } from 'vitest'
import { parseExpression } from './parse-expression.ts'
import { printExpression } from './print-expression.ts'
import { resolveDurations } from './resolve-durations.ts'

const CONTEXT = { stepMs: 30_000, rangeMs: 3_600_000 }

describe('computed durations', () => {
  test.each<[string, object]>([
    ['a[step()]', { rangeMs: 30_000 }],
    ['a[step() * 2 + 5]', { rangeMs: 65_000 }],
    ['a[range() / 2 - -1m]', { rangeMs: 1_860_000 }],
    ['a[min_of(step(), 5s)]', { rangeMs: 5000 }],
    ['a[max_of(step(), 5s)]', { rangeMs: 30_000 }],
    ['a[2 ^ 3 ^ 1 % 5]', { rangeMs: 3000 }],
    ['a[step() / 7]', { rangeMs: 4285 }],
    ['a offset (-step() / 7)', { offsetMs: -4285 }],
    ['a[1m] offset -step()', { selector: { offsetMs: -30_000 } }],
    ['a[range():step()] offset (1m + step())', { rangeMs: 3_600_000, stepMs: 30_000, offsetMs: 90_000 }],
    ['sum(-(a offset step()) + 1)', { expr: { lhs: { expr: { expr: { offsetMs: 30_000 } } } } }],
    ['a offset step() and b', { lhs: { offsetMs: 30_000 }, rhs: { offsetMs: 0 } }],
  ])('%s', (text, expected) => {
    const expr = parseExpression(text)
    const resolved = resolveDurations(text, expr, CONTEXT)
    expect(resolved).toMatchObject(expected)
    expect(printExpression(resolved)).toBe(printExpression(expr))
  })

  test('where there are none, the tree stays the same object', () => {
    const text = 'topk(1, sum(rate(a[5m] offset 1m)) / -(b)[5m:] @ end())'.replace('[5m:] @ end()', '')
    const expr = parseExpression(text)
    expect(resolveDurations(text, expr, CONTEXT)).toBe(expr)
  })

  test.each([
    ['a[step() - 1m]', '2:13: duration must be greater than 0'],
    ['a[1h - 2h]', '2:9: duration must be greater than 0'],
    ['{"ä"="b"}[1h - 2h]', '11:18: duration must be greater than 0'],
    ['a[5m:step() - 1m]', '5:16: duration must be greater than 0'],
    ['a[(step() - 1m)]', '3:14: duration must be greater than 0'],
    ['a offset (1m / (step() - 30))', '10:27: division by zero'],
    ['a offset (5 % (range() - range()))', '10:32: modulo by zero'],
    ['a offset (10 ^ 300)', '10:18: duration is out of range'],
    ['a[1h - 2h] offset (1 / (step() - 30))', '2:9: duration must be greater than 0'],
    ['a[1h - 2h:30s - 1m] offset (1 / (step() - 30))', '28:44: division by zero'],
    ['(a offset (1 / (step() - 30)))[1h - 2h:30s - 1m]', '39:47: duration must be greater than 0'],
  ])('that cannot be are refused: %s', (text, message) => {
    const expr = parseExpression(text)
    expect(() => resolveDurations(text, expr, CONTEXT)).toThrow(
      expect.objectContaining({ code: 'QUERY_PARSE_FAILED', message }),
    )
  })
})
