import { describe, expect, test } from 'vitest'
import { parseExpression } from './parse-expression.ts'
import { printExpression } from './print-expression.ts'
import { resolveInfo } from './resolve-info.ts'

function written(text: string): string {
  return printExpression(resolveInfo(parseExpression(text)))
}

describe('what info is told', () => {
  test.each<[string, string]>([
    ['info(a)', '{__name__="target_info"}'],
    ['info(a, {})', '{__name__="target_info"}'],
    ['info(a, {b="c"})', '{__name__="target_info",b="c"}'],
    ['info(a, {__name__="build_info"})', '{__name__="build_info"}'],
    ['info(a, {__name__=~"(build|node)_info", b=~".+"})', '{__name__=~"(build|node)_info",b=~".+"}'],
    ['info(a, {__name__!="build_info"})', '{__name__!="build_info",__name__=~".+_info"}'],
  ])('%s reads %s', (text, expected) => {
    expect(written(text)).toBe(`info(a, ${expected})`)
  })

  test.each<[string, string]>([
    ['info(a offset 1m)', ' offset 1m'],
    ['info(a @ 100)', ' @ 100.000'],
    ['info(a @ 100 offset 1m)', ' @ 40.000'],
    ['info(rate(a[5m] offset 1m))', ' offset 1m'],
    ['info(sum(a offset 1m) / sum(b offset 1m))', ' offset 1m'],
    ['info(a offset 1m * 2)', ' offset 1m'],
    ['info(a offset 1m + b offset 2m)', ''],
    ['info(a @ 100 + b @ 200)', ''],
    ['info(a @ 100 + b @ 160 offset 1m)', ' @ 100.000'],
    ['info(a offset 1m or vector(1))', ''],
    ['info(vector(1))', ''],
    ['info(max_over_time(a[5m:1m] offset 1m))', ' offset 1m'],
    ['info(max_over_time((a offset 2m)[5m:1m] offset 1m))', ' offset 3m'],
    ['info(max_over_time((a offset 2m)[5m:1m] @ 600))', ' @ 480.000'],
    ['info(max_over_time((a @ 100)[5m:1m] offset 1m))', ' @ 100.000'],
  ])('%s reads it%s', (text, expected) => {
    const printed = written(text)
    expect(printed.slice(printed.lastIndexOf(', '))).toBe(`, {__name__="target_info"}${expected})`)
  })

  test('is told inside of other expressions and of itself', () => {
    expect(written('sum(info(info(a offset 1m), {b="c"}))')).toBe(
      'sum(info(info(a offset 1m, {__name__="target_info"} offset 1m), {__name__="target_info",b="c"} offset 1m))',
    )
  })

  test('leaves everything else alone', () => {
    const expr = parseExpression('sum by (x) (target_info)')
    expect(resolveInfo(expr)).toBe(expr)
  })
})
