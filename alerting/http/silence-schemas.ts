import { z } from 'zod'
import { labels, timeNanos } from './notification-schemas.ts'

/** A silence in an answer. */
export const silenceResponse = z
  .strictObject({
    id: z.string(),
    state: z.enum(['pending', 'active', 'expired']),
    matchers: z.array(
      z.strictObject({
        name: z.string(),
        op: z.enum(['=', '!=', '=~', '!~']),
        value: z.string(),
        text: z.string().meta({ description: 'As Alertmanager writes it.', example: 'team="db"' }),
      }),
    ),
    startsUnixNano: timeNanos('Inclusive.'),
    endsUnixNano: timeNanos('Exclusive.'),
    updatedUnixNano: timeNanos('When it was made or changed last.'),
    createdBy: z.string(),
    comment: z.string(),
    annotations: labels,
  })
  .meta({ id: 'Silence' })

/** The answer of `/api/silences`. */
export const silencesResponse = z
  .strictObject({
    silences: z.array(silenceResponse).meta({ description: 'The one that begins last first.' }),
  })
  .meta({ id: 'Silences' })
