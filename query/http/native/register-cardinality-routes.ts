import { z } from 'zod'
import { METRIC_NAME } from '../../../model/labels.ts'
import type { Matcher } from '../../../model/matcher.ts'
import { count, READ_ERRORS } from '../../../runtime/answer-schemas.ts'
import { AppError } from '../../../runtime/errors.ts'
import { readCardinality } from '../../metrics/cardinality/read-cardinality.ts'
import { parseExpression } from '../../promql/parse-expression.ts'
import type { QueryDeps } from '../../query-deps.ts'
import type { NativeApp } from './native-app.ts'
import { wholeNumber } from './parameters.ts'

const metric = z.strictObject({
  metric: z.string(),
  series: count,
  newInHour: count.meta({ description: 'Seen for the first time within the last hour.' }),
  newInDay: count,
})
const time = z.iso.datetime()

/** The answer of `/api/metrics/cardinality`. */
export const cardinalityResponse = z.strictObject({
  metrics: count.meta({ description: 'Names of metrics.' }),
  series: count.meta({
    description: 'Series that were told of today or yesterday (UTC). A histogram of OTLP counts as one.',
  }),
  activeInHour: z.strictObject({
    series: count.meta({ description: 'Those that got a sample within the last hour.' }),
    isEstimate: z.boolean().meta({ description: 'Concluded from 2,000 series that were drawn.' }),
  }),
  newInHour: count,
  newInDay: count,
  byMetric: z.array(metric).meta({ description: 'Metrics with the most series.' }),
  byLabel: z
    .array(
      z.strictObject({
        label: z.string(),
        values: count,
        series: count,
        bytes: count.meta({ description: 'Bytes of its values over all series.' }),
      }),
    )
    .meta({ description: 'Labels with the most values.' }),
  byPair: z
    .array(z.strictObject({ label: z.string(), value: z.string(), series: count }))
    .meta({ description: 'Values of labels with the most series.' }),
  growth: z.strictObject({
    hours: z.array(z.strictObject({ start: time, newSeries: count })).meta({ description: 'The last 24.' }),
    days: z
      .array(z.strictObject({ start: time, newSeries: count, series: count }))
      .meta({ description: 'The last 7 (UTC).' }),
  }),
  offenders: z
    .array(
      metric.extend({
        label: z.string().meta({ description: 'The label that got the most new values within a day.' }),
        values: count,
        newValues: count,
        examples: z.array(z.string()).meta({ description: 'Some of its new values.' }),
      }),
    )
    .meta({ description: 'Metrics with the most series that are new since a day.' }),
})

const DEFAULT_LIMIT = 20

/** Serves `/api/metrics/cardinality`. */
export function registerCardinalityRoutes(app: NativeApp, deps: QueryDeps): void {
  app.get(
    '/metrics/cardinality',
    {
      schema: {
        summary: 'How many series there are, and what makes them many',
        description:
          'Series by metric, label and value of a label; new ones by hour and day; the metrics that grow, with the label at fault.',
        tags: ['metrics'],
        querystring: z.strictObject({
          metric: z.string().min(1, 'expected the name of a metric').optional().meta({
            description: 'Only this metric, with its `_bucket`, `_sum` and `_count`.',
          }),
          label: z.string().min(1, 'expected the name of a label').optional().meta({
            description: 'Only series with this label; `byPair` counts its values.',
          }),
          'match[]': z
            .string('expected one selector')
            .optional()
            .meta({ description: 'Only series that match this selector.', example: '{job="cart"}' }),
          limit: wholeNumber(1, 1000, 'Entries of each list; 20 when absent.').optional(),
        }),
        response: { 200: cardinalityResponse, ...READ_ERRORS },
      },
    },
    async (request) => {
      const { label, limit } = request.query
      const found = await readCardinality(
        deps.storage,
        {
          tenant: request.tenant,
          nowMs: deps.clock.now(),
          matchers: matchersOf(request.query),
          limit: limit ?? DEFAULT_LIMIT,
          signal: request.abortSignal,
        },
        label ?? null,
      )
      const { growth } = found
      return {
        ...found,
        byMetric: [...found.byMetric],
        byLabel: [...found.byLabel],
        byPair: [...found.byPair],
        growth: {
          hours: growth.hours.map(({ atMs, newSeries }) => ({ start: iso(atMs), newSeries })),
          days: growth.days.map(({ atMs, newSeries, series }) => ({ start: iso(atMs), newSeries, series })),
        },
        offenders: found.offenders.map((each) => ({ ...each, examples: [...each.examples] })),
      }
    },
  )
}

function matchersOf(query: {
  readonly metric?: string | undefined
  readonly label?: string | undefined
  readonly 'match[]'?: string | undefined
}): Matcher[] {
  const { metric: name, label, 'match[]': selector } = query
  return [
    ...(selector === undefined ? [] : selectorMatchers(selector)),
    ...(name === undefined ? [] : [{ name: METRIC_NAME, op: '=~', value: family(name) } as const]),
    ...(label === undefined || label === METRIC_NAME ? [] : [{ name: label, op: '!=', value: '' } as const]),
  ]
}

/** A pattern of the names that a metric's series may have. */
function family(name: string): string {
  return `${name.replace(/[\\.+*?()[\]{}^$|]/g, '\\$&')}(_bucket|_sum|_count)?`
}

function selectorMatchers(selector: string): readonly Matcher[] {
  const expr = parseExpression(selector)
  if (expr.kind === 'vectorSelector') return expr.matchers
  throw new AppError(
    'INVALID_ARGUMENT',
    `Cannot read match[]: expected a selector such as {job="cart"}, found ${selector.slice(0, 100)}`,
    { details: { path: 'match[]' } },
  )
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
