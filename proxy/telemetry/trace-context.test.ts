import { describe, expect, test } from 'vitest'
import { newSpanId, readTraceContext, traceparentOf } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('trace context', () => {
  test.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, true],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
    ['other flags', `00-${TRACE}-${SPAN}-02`, false],
    ['a later version with more fields', `cc-${TRACE}-${SPAN}-01-what-comes`, true],
  ])('%s is continued', (_name, header, isSampled) => {
    expect(readTraceContext(header, 'a=b', 1, () => 0)).toEqual({
      traceId: TRACE,
      parentSpanId: SPAN,
      traceState: 'a=b',
      isSampled,
    })
  })

  test.each([
    ['absent', undefined],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more fields', `00-${TRACE}-${SPAN}-01-x`],
    ['zero trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['zero span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['short', `00-${TRACE}-${SPAN}`],
    ['garbage', 'garbage'],
  ])('%s begins a new trace without the state of the old one', (_name, header) => {
    const context = readTraceContext(header, 'a=b', 0.5, () => 0.4)
    expect(context).toMatchObject({ parentSpanId: '', traceState: '', isSampled: true })
    expect(context.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(context.traceId).not.toBe(TRACE)
    expect(readTraceContext(header, 'a=b', 0.5, () => 0.5).isSampled).toBe(false)
  })

  test('ids differ, and what is written can be read', () => {
    const ids = new Set(Array.from({ length: 2000 }, newSpanId))
    expect(ids.size).toBe(2000)
    const span = newSpanId()
    expect(readTraceContext(traceparentOf(TRACE, span, true), undefined, 0, () => 0)).toMatchObject({
      traceId: TRACE,
      parentSpanId: span,
      isSampled: true,
    })
  })
})
