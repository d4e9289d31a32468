import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { SAMPLE_TRACE } from '../../test/support/sample-trace.ts'
import { toTraceResponse } from '../http/native/to-trace-response.ts'
import type { traceResponse } from '../http/native/trace-schemas.ts'
import { drawTrace } from './draw-trace.ts'

type TraceAnswer = z.output<typeof traceResponse>
type SpanAnswer = TraceAnswer['spans'][number]

const SAMPLE = toTraceResponse(SAMPLE_TRACE)
const MS = 1_000_000

function span(spanId: string, parentSpanId: string | null, rest: Partial<SpanAnswer> = {}): SpanAnswer {
  const [first] = SAMPLE.spans
  if (first === undefined) throw new Error('the sample has spans')
  return {
    ...first,
    spanId,
    parentSpanId,
    name: spanId,
    kind: 'internal',
    mesh: { ...first.mesh, httpStatus: null },
    ...rest,
  }
}

function trace(spans: SpanAnswer[]): TraceAnswer {
  return { ...SAMPLE, spans }
}

const plain = { columns: 100, hasColor: false }

/** The drawn tree without heading, durations and bars. */
function labels(spans: SpanAnswer[]): string[] {
  return drawTrace(trace(spans), plain)
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.slice(0, 60).trimEnd().replaceAll('frontend ', ''))
}

test('a trace with a retry, an error and flags', () => {
  expect(drawTrace(SAMPLE, plain)).toBe(
    `trace 0af7651916cd43dd8448eb211c80319c · 2025-11-20T08:00:00.123Z · 250ms · 3 spans · 2 services · 2 errors · 2 retries

frontend GET /cart 200                                              250ms █████████████████████████
└─ ✗ frontend POST checkout 503 UO retry 1 → checkout "upstream…    200ms ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
   └─ ✗ checkout POST 503 UO retry 1                                 -1µs ▒
`,
  )
})

describe('the tree', () => {
  test('has siblings by start time, with branches', () => {
    expect(labels([span('a', null), span('b', 'a'), span('c', 'b'), span('d', 'a'), span('e', 'd')])).toEqual(
      ['a', '├─ b', '│  └─ c', '└─ d', '   └─ e'],
    )
  })

  test('says where a parent is not stored', () => {
    expect(labels([span('a', 'lost'), span('b', 'a')])).toEqual(['a (its parent is not stored)', '└─ b'])
  })

  test('hangs the children of a shared id on the side that was called', () => {
    const spans = [
      span('a', null),
      span('b', 'a', { kind: 'client', name: 'call' }),
      span('b', 'a', { kind: 'server', name: 'serve' }),
      span('c', 'b'),
    ]
    expect(labels(spans)).toEqual(['a', '├─ call → ?', '└─ serve', '   └─ c'])
  })

  test('shows spans that are their own ancestors, once', () => {
    expect(labels([span('a', 'a'), span('b', 'c'), span('c', 'b')])).toEqual([
      'a (its parent is not stored)',
      'b (its parent is not stored)',
      '└─ c',
    ])
  })

  test('may be deeper than the call stack', () => {
    const deep = Array.from({ length: 20_000 }, (_, n) => span(String(n), n === 0 ? null : String(n - 1)))
    const drawn = labels(deep)
    expect(drawn).toHaveLength(20_000)
    expect(drawn.at(-1)).toContain('19999')
  })
})

describe('a line', () => {
  test.each([60, 80, 100, 200])('fits in %i columns', (columns) => {
    const long = span('x'.repeat(500), null, {
      startTimeUnixNano: String(BigInt(SAMPLE.startTimeUnixNano) + 249n * BigInt(MS)),
    })
    const lines = drawTrace(trace([span('a', null), long]), { columns, hasColor: false }).split('\n')
    for (const line of lines.slice(2)) expect([...line].length).toBeLessThanOrEqual(columns)
  })

  test('is red for an error, and yellow for a retry that went well, in a terminal only', () => {
    const good = span('b', null, { mesh: { ...span('b', null).mesh, retryAttempt: 1 } })
    const bad = span('c', null, { isError: true })
    const drawn = drawTrace(trace([span('a', null), good, bad]), { columns: 100, hasColor: true })
    expect(drawn.split('\u001b[').map((part) => part.slice(0, 3))).toEqual([
      'tra',
      '33m',
      '0m\n',
      '31m',
      '0m\n',
    ])
    expect(drawTrace(trace([good, bad]), plain)).not.toContain('\u001b')
  })

  test('lets no name steer the terminal', () => {
    const evil = '\u001b]0;owned\u0007\r\n\u009b2J\u202egnp'
    const drawn = drawTrace(
      trace([span(evil, null, { service: evil, status: { code: 'error', message: evil } })]),
      {
        columns: 400,
        hasColor: false,
      },
    )
    expect(drawn).toContain('\\x1b]0;owned\\x07\\x0d\\x0a\\x9b2J\\u202egnp')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    expect(drawn.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })
})
