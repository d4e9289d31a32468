import { z } from 'zod'
import { count, nanos } from '../../runtime/answer-schemas.ts'

const labels = z.record(z.string(), z.string())
const time = (description: string) =>
  nanos.meta({ description: `${description} Nanoseconds since the epoch.` })
const duration = (description: string) => nanos.meta({ description: `${description} Nanoseconds.` })

const alert = z
  .strictObject({
    state: z
      .enum(['pending', 'firing', 'inactive'])
      .meta({ description: '`inactive`: it ended within the last 15 minutes.' }),
    labels,
    annotations: labels,
    value: z.string().meta({
      description: 'Of the expression, at the last evaluation that had the alert; decimal, `NaN` or `+Inf`.',
      example: '0.07',
    }),
    activeAtUnixNano: time('When its condition began to hold.'),
    firedAtUnixNano: time('When it began to fire.').nullable(),
    resolvedAtUnixNano: time('When it ended.').nullable(),
    keepFiringSinceUnixNano: time('Since when it fires without its condition.').nullable(),
    lastSentAtUnixNano: time('When alerting was told of it last.').nullable(),
  })
  .meta({ id: 'RuleAlert' })

/** An alert of a rule, as {@link nativeAlerts} tells it. */
export const ruleAlert = z.strictObject({
  ...alert.shape,
  group: z.string().meta({ description: 'The group of its rule.' }),
  rule: z.string(),
  expr: z.string(),
  generatorUrl: z.string().meta({ description: 'Shows what the expression gives now.' }),
})

const written = {
  name: z.string(),
  expr: z.string(),
  labels: labels.meta({ description: 'As the rule file has them, with those of the group.' }),
}
const outcome = {
  health: z.enum(['unknown', 'ok', 'err']).meta({ description: '`unknown`: not evaluated yet.' }),
  lastError: z.string().nullable().meta({ description: 'Why the last evaluation failed.' }),
  lastEvaluationUnixNano: time('For which time it was evaluated last.').nullable(),
  lastDurationNanos: duration('How long that took.'),
  elements: count.meta({ description: 'Series or alerts that the last good evaluation gave.' }),
}

const rule = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('recording'), ...written, ...outcome }),
    z.strictObject({
      kind: z.literal('alerting'),
      ...written,
      state: z
        .enum(['firing', 'pending', 'inactive', 'unknown'])
        .meta({ description: 'The worst state of its alerts.' }),
      holdNanos: duration('`for`.'),
      keepFiringForNanos: duration('`keep_firing_for`.'),
      annotations: labels.meta({ description: 'Templates, as the rule file has them.' }),
      ...outcome,
      alerts: z
        .array(alert)
        .meta({ description: 'Pending, firing, and those that ended within the last 15 minutes.' }),
    }),
  ])
  .meta({ id: 'Rule' })

const group = z
  .strictObject({
    name: z.string(),
    file: z.string().meta({ description: 'Where it stands; with the name it identifies the group.' }),
    intervalNanos: duration('Between two evaluations.'),
    queryOffsetNanos: duration('How far in the past the queries are made.'),
    limit: count.meta({ description: 'Most alerts, or series, that one rule may give; 0: no limit.' }),
    evaluations: count,
    missedEvaluations: count.meta({ description: 'Slots that went by without an evaluation.' }),
    lastEvaluationUnixNano: time('For which time it was evaluated last.').nullable(),
    lastDurationNanos: duration('How long that took.'),
    rules: z.array(rule),
  })
  .meta({ id: 'RuleGroup' })

/** The answer of `/api/rules`. */
export const rulesResponse = z.strictObject({ groups: z.array(group) }).meta({ id: 'RuleGroups' })
