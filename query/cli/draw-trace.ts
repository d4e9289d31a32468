import type { z } from 'zod'
import type { traceResponse } from '../http/native/trace-schemas.ts'
import { formatNanos } from './format-nanos.ts'
import { fitText, terminalText } from './terminal-text.ts'

type TraceAnswer = z.output<typeof traceResponse>
type SpanAnswer = TraceAnswer['spans'][number]

/** A span with its place in the tree. */
interface Line {
  readonly span: SpanAnswer
  /** The branches drawn in front of it. */
  readonly branches: string
  readonly isOrphan: boolean
}

const DURATION_WIDTH = 8

/**
 * Draws a trace as a tree: service, span name, kind, status, flags and attempt of each span, its duration, and a bar
 * where it lies in the trace. Lines fit in `columns` characters (at least 60). Ends with a line end.
 */
export function drawTrace(
  trace: TraceAnswer,
  options: { readonly columns: number; readonly hasColor: boolean },
): string {
  const columns = Math.max(60, options.columns)
  const barWidth = Math.max(10, Math.min(60, Math.floor(columns * 0.25)))
  const labelWidth = columns - barWidth - DURATION_WIDTH - 3
  const paint = options.hasColor ? colorOf : () => null
  const lines = treeLines(trace.spans, Math.floor(labelWidth / 2)).map((line) => {
    const label = fitText(line.branches + describe(line), labelWidth)
    const duration = fitText(formatNanos(BigInt(line.span.durationNanos)), DURATION_WIDTH, 'right')
    const color = paint(line.span)
    const text = `${label} ${duration} ${bar(trace, line.span, barWidth)}`.trimEnd()
    return color === null ? text : `\u001b[${color}m${text}\u001b[0m`
  })
  return `${[heading(trace), '', ...lines].join('\n')}\n`
}

function heading(trace: TraceAnswer): string {
  const services = new Set(trace.spans.map(({ service }) => service)).size
  const errors = trace.spans.filter(({ isError }) => isError).length
  const retries = trace.spans.filter(({ mesh }) => mesh.retryAttempt > 0).length
  return [
    `trace ${trace.traceId}`,
    new Date(Number(BigInt(trace.startTimeUnixNano) / 1_000_000n)).toISOString(),
    formatNanos(BigInt(trace.durationNanos)),
    countOf(trace.spans.length, 'span') + (trace.isTruncated ? ' (more are stored)' : ''),
    countOf(services, 'service'),
    ...(errors === 0 ? [] : [countOf(errors, 'error')]),
    ...(retries === 0 ? [] : [retries === 1 ? '1 retry' : `${retries} retries`]),
  ].join(' · ')
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/**
 * The spans in the order of the tree, siblings by start time. A span whose parent is not there starts a tree. What lies
 * deeper than `maxIndent` characters is not indented further: the names matter more.
 */
function treeLines(spans: readonly SpanAnswer[], maxIndent: number): Line[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const isTop = (span: SpanAnswer) =>
    span.parentSpanId === null || span.parentSpanId === span.spanId || !known.has(span.parentSpanId)
  const children = Map.groupBy(
    spans.filter((span) => !isTop(span)),
    (span) => span.parentSpanId,
  )
  // Where two spans share an id (the two sides of a call, with some tracers), the callee's has the children.
  const parents = new Map(spans.map((span) => [span.spanId, span]))
  for (const span of spans)
    if (span.kind === 'server' || span.kind === 'consumer') parents.set(span.spanId, span)
  const drawn = new Set<SpanAnswer>()
  const lines: Line[] = []
  const drawTop = (top: SpanAnswer) => {
    // A stack of our own: traces may be deeper than the call stack.
    const stack = [{ span: top, first: '', rest: '' }]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { span, first, rest } = next
      if (drawn.has(span)) continue
      drawn.add(span)
      lines.push({ span, branches: first, isOrphan: span === top && span.parentSpanId !== null })
      const below = parents.get(span.spanId) === span ? (children.get(span.spanId) ?? []) : []
      for (const [index, child] of below.toReversed().entries()) {
        const isLast = index === 0
        stack.push({
          span: child,
          first: `${rest}${isLast ? '└─ ' : '├─ '}`,
          rest: rest.length + 6 > maxIndent ? rest : `${rest}${isLast ? '   ' : '│  '}`,
        })
      }
    }
  }
  for (const span of spans) if (isTop(span)) drawTop(span)
  // Spans that are each other's parents hang from no top.
  for (const span of spans) if (!drawn.has(span)) drawTop(span)
  return lines
}

function describe({ span, isOrphan }: Line): string {
  const { mesh } = span
  const target = mesh.upstream ?? mesh.upstreamCluster
  const status = [mesh.httpStatus, mesh.grpcStatus === null ? null : `grpc ${mesh.grpcStatus}`]
  // What failed comes before where it went: narrow terminals cut the end.
  const parts = [
    span.isError ? '✗' : null,
    span.service,
    span.name,
    ...status,
    mesh.responseFlags,
    mesh.retryAttempt > 0 ? `retry ${mesh.retryAttempt}` : null,
    isOrphan ? '(its parent is not stored)' : null,
    span.kind === 'client' || span.kind === 'producer' ? `→ ${target ?? '?'}` : null,
    mesh.upstreamEndpoint === null ? null : `(${mesh.upstreamEndpoint})`,
    span.status.message === '' ? null : `"${span.status.message}"`,
  ]
  return terminalText(parts.filter((part) => part !== null && part !== '').join(' '))
}

/** Where the span lies in the trace; even the shortest is one character. */
function bar(trace: TraceAnswer, span: SpanAnswer, width: number): string {
  const whole = Math.max(1, Number(trace.durationNanos))
  const offset = Number(BigInt(span.startTimeUnixNano) - BigInt(trace.startTimeUnixNano)) / whole
  const share = Math.max(0, Number(span.durationNanos)) / whole
  const from = Math.min(width - 1, Math.max(0, Math.floor(offset * width)))
  const length = Math.min(width - from, Math.max(1, Math.round(share * width)))
  return ' '.repeat(from) + (span.isError ? '▒' : '█').repeat(length)
}

const RED = '31'
const YELLOW = '33'

function colorOf(span: SpanAnswer): string | null {
  if (span.isError) return RED
  return span.mesh.retryAttempt > 0 ? YELLOW : null
}
