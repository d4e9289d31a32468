import { expect, test } from 'vitest'
import { parseExpression } from '../parse-expression.ts'
import { createAnnotations } from './annotations.ts'

const QUERY = 'rate(a[5m]) +\n  rate(b[5m])'
const expr = parseExpression(QUERY)
const [left, right] = expr.kind === 'binary' ? [expr.lhs, expr.rhs] : [expr, expr]

test('each text is told once, where it came up last', () => {
  const notes = createAnnotations(QUERY)
  notes.warn('doubt', left)
  notes.inform('doubt', left)
  notes.warn('doubt', right)
  notes.warn('another', left)
  expect(notes.warnings).toEqual(['PromQL warning: doubt (2:3)', 'PromQL warning: another (1:1)'])
  expect(notes.infos).toEqual(['PromQL info: doubt (1:1)'])
})

test('counts that had to be forced are told together', () => {
  const notes = createAnnotations(QUERY)
  notes.informForced('fixed', right, { atMs: 61_500, minBound: 0.5, maxBound: 5, maxDifference: 1.234 })
  notes.informForced('fixed', right, { atMs: 1_500, minBound: 1, maxBound: 10, maxDifference: 150 })
  expect(notes.infos).toEqual([
    'PromQL info: fixed, from buckets 0.5 to 10, with a max diff of 1.5e+02, over 2 samples from 1970-01-01T00:00:01Z to 1970-01-01T00:01:01Z (2:3)',
  ])
})

test('a time that no calendar has does no harm', () => {
  const notes = createAnnotations(QUERY)
  notes.informForced('fixed', left, { atMs: 1e18, minBound: 1, maxBound: 1, maxDifference: 1 })
  expect(notes.infos[0]).toContain('+275760-09-13T00:00:00Z')
})
