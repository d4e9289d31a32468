import type { FastifyInstance } from 'fastify'
import { SPAN_KINDS, type SpanKind } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { RED_SLOT_MS, readRedSeries } from '../../traces/read-red-series.ts'
import { allValues, firstValue, type QueryString } from '../query-values.ts'
import { readEpoch, readWhole } from '../read-parameter.ts'
import { jaegerAnswer } from './jaeger-model.ts'
import { type JaegerMetric, toMetricFamily } from './to-metric-family.ts'

const DEFAULT_LOOKBACK_MS = 3_600_000
const DEFAULT_RATE_MS = 600_000
/** Steps of a series in one answer: a point for each, and those before that the first point looks back over. */
const MAX_STEPS = 11_000

/** Serves what Jaeger's Monitor tab reads, `metrics/…`, from the roll-ups. */
export function registerJaegerMetrics(app: FastifyInstance, deps: QueryDeps): void {
  for (const metric of ['latencies', 'calls', 'errors'] as const) {
    app.get<{ Querystring: QueryString }>(`/metrics/${metric}`, async (request) => {
      const asked = parseMetricsQuery(metric, request.query, deps.clock.now())
      const series = await readRedSeries(deps, {
        ...asked,
        tenant: request.tenant,
        signal: request.abortSignal,
      })
      return toMetricFamily(metric, series, asked.isByOperation, asked)
    })
  }

  app.get('/metrics/minstep', async () => jaegerAnswer(RED_SLOT_MS))
}

interface MetricsQuery {
  readonly services: readonly string[]
  readonly kinds: readonly SpanKind[]
  readonly isByOperation: boolean
  readonly startMs: number
  readonly stepMs: number
  readonly steps: number
  readonly stepsPerPoint: number
  readonly quantile: number
}

/**
 * Reads `service` (one at least), `spanKind`, `groupByOperation`, `endTs`, `lookback`, `step`, `ratePer` (milliseconds) and,
 * for latencies, `quantile`. Steps and windows are widened to whole slots. Throws AppError INVALID_ARGUMENT,
 * also for more steps than one answer may be made from.
 */
export function parseMetricsQuery(metric: JaegerMetric, query: QueryString, nowMs: number): MetricsQuery {
  const services = allValues(query, 'service')
  if (services.length === 0) {
    throw new AppError('INVALID_ARGUMENT', "Cannot read metrics: parameter 'service' is required")
  }
  const stepMs = wholeSlots(readWhole(query, 1, 'step') ?? RED_SLOT_MS)
  const stepsPerPoint = Math.max(1, Math.round((readWhole(query, 1, 'ratePer') ?? DEFAULT_RATE_MS) / stepMs))
  const lookbackMs = readWhole(query, 0, 'lookback') ?? DEFAULT_LOOKBACK_MS
  const points = Math.floor(lookbackMs / stepMs) + 1
  const steps = points + stepsPerPoint - 1
  if (steps > MAX_STEPS) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot read metrics: ${steps} steps of ${stepMs} ms, for 'lookback' and 'ratePer' together, are more than ${MAX_STEPS}`,
    )
  }
  const endMs = Math.floor((readEpoch(query, 'milliseconds', 'endTs') ?? nowMs) / stepMs) * stepMs
  return {
    services,
    kinds: kindsOf(query),
    isByOperation: isTrue(firstValue(query, 'groupByOperation')),
    startMs: endMs - steps * stepMs,
    stepMs,
    steps,
    stepsPerPoint,
    quantile: metric === 'latencies' ? quantileOf(query) : 0,
  }
}

function kindsOf(query: QueryString): readonly SpanKind[] {
  const asked = allValues(query, 'spanKind')
  if (asked.length === 0) return ['server']
  return asked.map((text) => {
    const kind = SPAN_KINDS.find((name) => name === text.toLowerCase())
    if (kind !== undefined) return kind
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot read the parameter 'spanKind': expected one of ${SPAN_KINDS.join(', ')}, found '${text.slice(0, 100)}'`,
    )
  })
}

function quantileOf(query: QueryString): number {
  const text = firstValue(query, 'quantile')
  const quantile = text === null ? Number.NaN : Number(text)
  if (quantile >= 0 && quantile <= 1) return quantile
  throw new AppError(
    'INVALID_ARGUMENT',
    "Cannot read the parameter 'quantile': expected a number from 0 to 1",
  )
}

function isTrue(text: string | null): boolean {
  if (text === null || ['false', '0', 'f', 'F', 'FALSE', 'False'].includes(text)) return false
  if (['true', '1', 't', 'T', 'TRUE', 'True'].includes(text)) return true
  throw new AppError(
    'INVALID_ARGUMENT',
    "Cannot read the parameter 'groupByOperation': expected true or false",
  )
}

function wholeSlots(ms: number): number {
  return Math.max(1, Math.ceil(ms / RED_SLOT_MS)) * RED_SLOT_MS
}
