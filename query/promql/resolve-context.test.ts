import { describe, expect, test } from 'vitest'
import { parseExpression } from './parse-expression.ts'
import { printExpression } from './print-expression.ts'
import { resolveContext } from './resolve-context.ts'

const HOUR = { startMs: 7_200_000, endMs: 10_800_000, stepMs: 30_000 }

describe('what a query says of itself', () => {
  test.each<[string, string]>([
    ['start()', '7200'],
    ['end() - range()', '10800 - 3600'],
    ['-step() * a', '-30 * a'],
    ['a @ start()', 'a @ 7200.000'],
    ['rate(a[5m] @ end())', 'rate(a[5m] @ 10800.000)'],
    ['max_over_time((a > step())[1h:1m] @ start())', 'max_over_time((a > 30)[1h:1m] @ 7200.000)'],
    ['topk(step(), a) + on () vector(end())', 'topk(30, a) + on () vector(10800)'],
    ['clamp(a @ start(), start(), end())', 'clamp(a @ 7200.000, 7200, 10800)'],
  ])('%s is %s', (text, expected) => {
    expect(printExpression(resolveContext(parseExpression(text), HOUR))).toBe(expected)
  })

  test('has neither range nor step at one moment', () => {
    const instant = { ...HOUR, endMs: HOUR.startMs }
    expect(printExpression(resolveContext(parseExpression('step() + range()'), instant))).toBe('0 + 0')
  })

  test('leaves a query alone that says nothing', () => {
    const expr = parseExpression('sum by (x) (rate(a[5m] @ 3 offset 1m)) / time()')
    expect(resolveContext(expr, HOUR)).toBe(expr)
  })

  test('leaves alone what is not concerned', () => {
    const expr = parseExpression('sum(a) + step()')
    const resolved = resolveContext(expr, HOUR)
    if (expr.kind !== 'binary' || resolved.kind !== 'binary') throw new Error('not a binary expression')
    expect(resolved.lhs).toBe(expr.lhs)
  })
})
