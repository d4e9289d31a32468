import { z } from 'zod'
import { SPAN_KINDS, STATUS_CODES } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { QueryDeps } from '../../query-deps.ts'
import type { AttributeEquals, TraceFilter } from '../../traces/trace-filter.ts'
import { parseDurationNs, parseTime, resolveTime, type TimeText } from '../parse-time.ts'
import { parseTraceId } from '../parse-trace-id.ts'

/**
 * The query parameters of the native API. Every message says what is expected; unknown parameters are refused, because
 * each route puts these into a strict object.
 */

const time = (description: string, example: string) =>
  parsed(parseTime, 'expected an RFC 3339 time, Unix seconds, or now-1h').meta({
    description: `${description} RFC 3339, Unix seconds (decimals allowed), or \`now-1h\`.`,
    example,
  })

const duration = (description: string) =>
  parsed(parseDurationNs, 'expected a duration such as 250ms or 1h30m').meta({
    description,
    example: '250ms',
  })

/** A whole number. */
export function wholeNumber(least: number, most: number, description: string) {
  const expected = `expected a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .transform(Number)
    .refine((value) => value >= least && value <= most, expected)
    .meta({ description })
}

/** A parameter that may be given several times. */
export function repeatable<Item extends z.ZodType<unknown, string>>(item: Item) {
  return z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(item))
}

/** The range that every question has; see {@link resolveRange}. */
export const rangeParameters = {
  start: time('Inclusive; an hour before `end` when absent.', 'now-1h').optional(),
  end: time('Exclusive; now when absent.', 'now').optional(),
}

/** An id of 32 hex digits; leading zeros may be left out. */
export const traceIdParameter = parsed(parseTraceId, 'expected up to 32 hex digits, not all zero').meta({
  description: 'Trace id in hex; leading zeros may be left out.',
  example: '0af7651916cd43dd8448eb211c80319c',
})

/** A span id: up to 16 hex digits. */
export const spanIdParameter = z
  .string()
  .regex(/^[0-9a-fA-F]{1,16}$/, 'expected up to 16 hex digits')
  .transform((text) => text.toLowerCase().padStart(16, '0'))
  .meta({ description: 'Span id in hex.', example: 'b7ad6b7169203331' })

const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

/** The least severity of log records: a word or an OTLP `SeverityNumber`. */
export const severityParameter = parsed(
  (text) => {
    const index = SEVERITIES.indexOf(text.toLowerCase())
    if (index >= 0) return 4 * index + 1
    return /^([1-9]|1\d|2[0-4])$/.test(text) ? Number(text) : null
  },
  `expected one of ${SEVERITIES.join(', ')}, or a number from 1 to 24`,
).meta({
  description: 'The least severity: a word or an OTLP severity number.',
  example: 'warn',
})

/** `key=value`. */
const attribute = parsed(parseAttribute, 'expected key=value').meta({ example: 'k8s.namespace.name=shop' })

/** `attr=key=value`, repeatable. */
export const attributesParameter = repeatable(attribute).meta({
  description: 'An attribute of the span or of its resource, as `key=value`. Repeated: all must hold.',
})

/** The filter of traces. */
export const filterParameters = {
  service: z
    .string()
    .min(1, 'expected a service name')
    .meta({ description: 'The service that sent the span.', example: 'checkout' })
    .optional(),
  operation: z.string().min(1, 'expected a span name').meta({ description: 'Span name.' }).optional(),
  kind: z
    .enum(SPAN_KINDS, `expected one of ${SPAN_KINDS.join(', ')}`)
    .meta({ description: 'Of the span.' })
    .optional(),
  status: z
    .enum(STATUS_CODES, `expected one of ${STATUS_CODES.join(', ')}`)
    .meta({ description: "The span's status code as it was sent." })
    .optional(),
  error: flag(
    'Whether the request failed: an error status, or a 5xx that no status speaks about.',
  ).optional(),
  minDuration: duration('Of the matching span, inclusive.').optional(),
  maxDuration: duration('Of the matching span, inclusive.').optional(),
  attr: attributesParameter.optional(),
  flag: repeatable(z.string().regex(/^[A-Za-z]{1,10}$/, 'expected an Envoy response flag such as UO'))
    .meta({ description: 'Envoy response flag. Repeated: at least one must be there.' })
    .optional(),
  retried: flag('`true`: only retries, attempt 1 or later. `false`: only first attempts.').optional(),
  httpStatus: wholeNumber(100, 999, 'HTTP status of the response.').optional(),
  grpcStatus: wholeNumber(0, 999, 'gRPC status of the response.').optional(),
  upstream: z.string().meta({ description: 'The callee, as its caller names it.' }).optional(),
  cluster: z.string().meta({ description: "The proxy's name for the group of endpoints called." }).optional(),
  endpoint: z.string().meta({ description: 'The address called.' }).optional(),
  root: flag('`true`: only spans without a parent.').optional(),
}

/** The parsed form of {@link filterParameters}. */
export type FilterParameters = z.output<z.ZodObject<typeof filterParameters>>

/** The filter that the parameters describe. */
export function toTraceFilter(parameters: FilterParameters): TraceFilter {
  return {
    service: parameters.service,
    operation: parameters.operation,
    kind: parameters.kind,
    status: parameters.status,
    isError: parameters.error,
    minDurationNs: parameters.minDuration,
    maxDurationNs: parameters.maxDuration,
    attributes: parameters.attr,
    flags: parameters.flag,
    isRetried: parameters.retried,
    httpStatus: parameters.httpStatus,
    grpcStatus: parameters.grpcStatus,
    upstream: parameters.upstream,
    upstreamCluster: parameters.cluster,
    upstreamEndpoint: parameters.endpoint,
    isRoot: parameters.root,
  }
}

/** The range in epoch milliseconds. Throws INVALID_ARGUMENT when it is empty. */
export function resolveRange(
  deps: QueryDeps,
  parameters: { readonly start?: TimeText | undefined; readonly end?: TimeText | undefined },
  defaultMs = 3_600_000,
): { startMs: number; endMs: number } {
  const now = deps.clock.now()
  const endMs = parameters.end === undefined ? now : resolveTime(parameters.end, now)
  const startMs = parameters.start === undefined ? endMs - defaultMs : resolveTime(parameters.start, now)
  if (startMs >= endMs) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot search the range: start (${iso(startMs)}) is not before end (${iso(endMs)})`,
      { details: { path: 'start' } },
    )
  }
  return { startMs, endMs }
}

/** A query parameter that is `true` or `false`. */
export function flag(description: string) {
  return z
    .enum(['true', 'false'], 'expected true or false')
    .transform((text) => text === 'true')
    .meta({ description })
}

/** A width of time in milliseconds. */
export function widthParameter(description: string) {
  return parsed((text) => {
    const ns = parseDurationNs(text)
    return ns === null || ns < 1_000_000n ? null : Number(ns / 1_000_000n)
  }, 'expected a duration such as 30s or 5m').meta({ description, example: '5m' })
}

function parsed<Value extends NonNullable<unknown>>(parse: (text: string) => Value | null, expected: string) {
  return z.string().transform((text, context): Value => {
    const value = parse(text)
    if (value !== null) return value
    context.addIssue({ code: 'custom', message: `${expected}, found ${JSON.stringify(text.slice(0, 100))}` })
    return z.NEVER
  })
}

function parseAttribute(text: string): AttributeEquals | null {
  const at = text.indexOf('=')
  return at < 1 ? null : { key: text.slice(0, at), value: text.slice(at + 1) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
