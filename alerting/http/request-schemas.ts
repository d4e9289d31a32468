import { z } from 'zod'
import type { Matcher } from '../../model/matcher.ts'
import { AppError } from '../../runtime/errors.ts'

/** A time in a request, epoch milliseconds. Go's zero time, which clients send for none, is null. */
export const timeSchema = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-11-20T10:00:00Z' })
  .transform((text) => Date.parse(text))
  .transform((ms) => (ms <= GO_ZERO_MS ? null : ms))

const GO_ZERO_MS = Date.parse('0001-01-01T00:00:00Z')

// Silences nothing: whoever tries it out unchanged must not miss an alert.
const EXAMPLE_SILENCE = {
  matchers: [{ name: 'alertname', value: 'NoSuchAlert', isRegex: false, isEqual: true }],
  startsAt: '2026-11-20T00:00:00Z',
  endsAt: '2099-11-20T00:00:00Z',
  createdBy: 'ann',
  comment: 'Trying out the API',
}

/** One matcher of a silence. */
const matcherSchema = z
  .object({
    name: z.string().min(1),
    value: z.string(),
    isRegex: z.boolean(),
    isEqual: z.boolean().default(true),
  })
  .transform(({ name, value, isRegex, isEqual }): Matcher => {
    const op = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!='
    return { name, op, value }
  })

/** `postableSilence` of Alertmanager's API v2. */
export const postableSilence = z
  .object({
    id: z.string().nullish().meta({ description: 'The silence to change; absent: a new one.' }),
    matchers: z.array(matcherSchema).min(1, 'at least one matcher required').meta({
      description:
        'All must hold. `isRegex`: the value is a regular expression; `isEqual: false`: the opposite.',
    }),
    startsAt: timeSchema.meta({ description: 'A time in the past means now.' }),
    endsAt: timeSchema,
    createdBy: z.string(),
    comment: z.string(),
    annotations: z.record(z.string(), z.string()).nullish(),
  })
  .meta({ example: EXAMPLE_SILENCE })

/** `postableAlert` of Alertmanager's API v2. */
export const postableAlert = z.object({
  labels: z.record(z.string().min(1, 'a label has no name'), z.string()),
  annotations: z.record(z.string().min(1), z.string()).nullish(),
  startsAt: timeSchema.nullish(),
  endsAt: timeSchema.nullish(),
  generatorURL: z.string().nullish(),
})

/** What a request says, or INVALID_ARGUMENT with every problem. `what`: "the silence". */
export function readRequest<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) =>
    issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`,
  )
  throw new AppError('INVALID_ARGUMENT', `Cannot read ${what}: ${problems.join('; ')}`)
}
