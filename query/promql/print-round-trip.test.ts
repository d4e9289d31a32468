import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryPromql } from '../../test/support/arbitrary-promql.ts'
import type { Expr } from './ast.ts'
import { parseExpression } from './parse-expression.ts'
import { printExpression } from './print-expression.ts'
import { parseTestScript } from './promqltest/parse-test-script.ts'

const CORPUS = resolve(import.meta.dirname, '../../../shared/prometheus-tests/promql')

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
