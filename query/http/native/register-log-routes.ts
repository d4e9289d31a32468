import { z } from 'zod'
import { count, nanos, READ_ERRORS } from '../../../runtime/answer-schemas.ts'
import type { LogRecord } from '../../logs/log-record.ts'
import { searchLogs } from '../../logs/search-logs.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { indexList } from './index-list.ts'
import type { NativeApp } from './native-app.ts'
import { anyValue, keyValue, resource, scope } from './otlp-schemas.ts'
import {
  attributesParameter,
  rangeParameters,
  resolveRange,
  severityParameter,
  spanIdParameter,
  traceIdParameter,
  wholeNumber,
} from './parameters.ts'

const logRecord = z
  .strictObject({
    timeUnixNano: nanos.meta({
      description: 'Nanoseconds since the epoch; 0: the record has no time of its own.',
    }),
    observedTimeUnixNano: nanos,
    traceId: z.string().nullable(),
    spanId: z.string().nullable(),
    flags: count,
    severityNumber: z.int().min(0).max(255),
    severityText: z.string(),
    service: z.string(),
    eventName: z.string(),
    body: anyValue.nullable(),
    attributes: z.array(keyValue),
    droppedAttributesCount: count,
    resource: count.meta({ description: 'Index in `resources`.' }),
    scope: count.meta({ description: 'Index in `scopes`.' }),
  })
  .meta({ id: 'LogRecord' })

/** The answer of `/api/logs`. */
export const logsResponse = z
  .strictObject({
    resources: z.array(resource),
    scopes: z.array(scope),
    logs: z.array(logRecord).meta({ description: 'Newest first.' }),
    cursor: z.string().nullable().meta({ description: 'For the next page; null: this is the last one.' }),
  })
  .meta({ id: 'LogPage' })

/** Serves `/api/logs`. */
export function registerLogRoutes(app: NativeApp, deps: QueryDeps): void {
  app.get(
    '/logs',
    {
      schema: {
        summary: 'Search for log records and events of the mesh',
        description:
          'Newest first. With `traceId` and neither `start` nor `end`, all that is stored is searched. With `cursor`, the range is ' +
          'that of the first page.',
        tags: ['logs'],
        querystring: z.strictObject({
          traceId: traceIdParameter.optional(),
          spanId: spanIdParameter.optional(),
          service: z
            .string()
            .min(1, 'expected a service name')
            .meta({ description: 'The service that sent the record.' })
            .optional(),
          severity: severityParameter.optional(),
          event: z.string().meta({ description: 'Event name.', example: 'mesh.outlier.ejected' }).optional(),
          text: z.string().meta({ description: 'Part of the body, upper and lower case alike.' }).optional(),
          attr: attributesParameter.optional(),
          ...rangeParameters,
          limit: wholeNumber(1, deps.limits.maxPageSize, 'Records in a page; 100 when absent.').optional(),
          cursor: z.string().meta({ description: 'From the page before, with the same filter.' }).optional(),
        }),
        response: { 200: logsResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const { query } = request
      const isWhole = query.traceId !== undefined && query.start === undefined && query.end === undefined
      const page = await searchLogs(deps, {
        tenant: request.tenant,
        filter: {
          traceId: query.traceId,
          spanId: query.spanId,
          service: query.service,
          minSeverity: query.severity,
          eventName: query.event,
          text: query.text,
          attributes: query.attr,
        },
        ...(isWhole ? { startMs: 0, endMs: deps.clock.now() + DAY_MS } : resolveRange(deps, query)),
        limit: query.limit ?? 100,
        cursor: query.cursor,
        signal: request.abortSignal,
      })
      return toLogsResponse(page.logs, page.cursor)
    },
  )
}

/** Records of senders whose clock is ahead. */
const DAY_MS = 86_400_000

function toLogsResponse(logs: readonly LogRecord[], cursor: string | null): z.output<typeof logsResponse> {
  const resources = indexList<LogRecord['resource']>()
  const scopes = indexList<LogRecord['scope']>()
  const records = logs.map((record) => ({
    ...record,
    timeUnixNano: String(record.timeUnixNano),
    observedTimeUnixNano: String(record.observedTimeUnixNano),
    resource: resources.indexOf(record.resource),
    scope: scopes.indexOf(record.scope),
  }))
  return { resources: resources.items, scopes: scopes.items, logs: records, cursor } as z.output<
    typeof logsResponse
  >
}
