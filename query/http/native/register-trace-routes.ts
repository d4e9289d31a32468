import { z } from 'zod'
import { errorResponse, READ_ERRORS } from '../../../runtime/answer-schemas.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { bucketBounds, readHeatmap } from '../../traces/read-heatmap.ts'
import { readTrace } from '../../traces/read-trace.ts'
import { searchTraces } from '../../traces/search-traces.ts'
import type { NativeApp } from './native-app.ts'
import {
  filterParameters,
  rangeParameters,
  resolveRange,
  toTraceFilter,
  traceIdParameter,
  wholeNumber,
  widthParameter,
} from './parameters.ts'
import { toSummaryResponse, toTraceResponse } from './to-trace-response.ts'
import { heatmapResponse, traceResponse, tracesResponse } from './trace-schemas.ts'

/** Serves `/api/traces`, `/api/traces/heatmap` and `/api/traces/{traceId}`. */
export function registerTraceRoutes(app: NativeApp, deps: QueryDeps): void {
  app.get(
    '/traces',
    {
      schema: {
        summary: 'Search for traces',
        description:
          'A trace is found when one of its spans matches everything asked for. Each trace is one line, at its newest ' +
          '(or slowest) matching span. With `cursor`, the range is that of the first page.',
        tags: ['traces'],
        querystring: z.strictObject({
          ...filterParameters,
          ...rangeParameters,
          limit: wholeNumber(1, deps.limits.maxPageSize, 'Traces in a page; 20 when absent.').optional(),
          order: z
            .enum(['time', 'duration'], 'expected time or duration')
            .meta({ description: 'Newest first (`time`, the default) or slowest first.' })
            .optional(),
          cursor: z.string().meta({ description: 'From the page before, with the same filter.' }).optional(),
        }),
        response: { 200: tracesResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const page = await searchTraces(deps, {
        tenant: request.tenant,
        filter: toTraceFilter(request.query),
        ...resolveRange(deps, request.query),
        limit: request.query.limit ?? 20,
        order: request.query.order ?? 'time',
        cursor: request.query.cursor,
        signal: request.abortSignal,
      })
      return { ...page, traces: page.traces.map(toSummaryResponse) }
    },
  )
  app.get(
    '/traces/heatmap',
    {
      schema: {
        summary: 'Count spans by time and duration',
        description:
          'Spans (not traces) that match, in columns of time and rows of duration, each a quarter power of two of nanoseconds ' +
          'wide. Cells without spans are left out. `source` tells whether the roll-ups answered: then the range is widened to ' +
          'whole slots of ten seconds.',
        tags: ['traces'],
        querystring: z.strictObject({
          ...filterParameters,
          ...rangeParameters,
          step: widthParameter('Width of a column; about sixty columns when absent.').optional(),
        }),
        response: { 200: heatmapResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const heatmap = await readHeatmap(deps, {
        tenant: request.tenant,
        filter: toTraceFilter(request.query),
        ...resolveRange(deps, request.query),
        stepMs: request.query.step,
        signal: request.abortSignal,
      })
      return {
        ...heatmap,
        cells: heatmap.cells.map(({ bucket, timeMs, ...counts }) => {
          const { minNs, maxNs } = bucketBounds(bucket)
          return { timeMs, minDurationNanos: String(minNs), maxDurationNanos: String(maxNs), ...counts }
        }),
      }
    },
  )
  app.get(
    '/traces/:traceId',
    {
      schema: {
        summary: 'A whole trace',
        description:
          'All spans by start time; resources and scopes once. The attempts of a request are client spans with the same parent, ' +
          'told apart by `mesh.retryAttempt`. With `start` or `end`, only spans that start in the range are looked for.',
        tags: ['traces'],
        params: z.strictObject({ traceId: traceIdParameter }),
        querystring: z.strictObject({
          ...rangeParameters,
          maxSpans: wholeNumber(1, deps.limits.maxSpans, 'Most spans to return.').optional(),
        }),
        response: {
          200: traceResponse,
          ...READ_ERRORS,
          404: errorResponse.describe('No span of the trace is stored.'),
        },
      },
    },
    async (request) => {
      const { start, end, maxSpans } = request.query
      const { traceId } = request.params
      const trace = await readTrace(deps, {
        tenant: request.tenant,
        traceId,
        around: start === undefined && end === undefined ? undefined : resolveRange(deps, request.query),
        maxSpans,
        signal: request.abortSignal,
      })
      if (trace === null) {
        throw new AppError('NOT_FOUND', `Cannot find the trace ${traceId}: no span of it is stored`)
      }
      return toTraceResponse(trace)
    },
  )
}
