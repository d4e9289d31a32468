import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { errorResponse, TOKEN_ERRORS } from '../../runtime/answer-schemas.ts'
import { expireSilence, findSilence, setSilence } from '../muting/change-silences.ts'
import { type Silence, silenceState } from '../muting/silence.ts'
import { matcherText } from '../routing/group-key.ts'
import type { Alerting } from '../start-alerting.ts'
import { nanos } from '../views/notification-view.ts'
import { postableSilence, readRequest } from './request-schemas.ts'
import { silenceResponse, silencesResponse } from './silence-schemas.ts'
import { STARTING_ERROR } from './starting-error.ts'

const TAGS = ['silences']
const idParameter = z.strictObject({
  id: z.string().meta({
    description: 'The id of a silence, as `/api/silences` tells it.',
    example: '3f0c9d5e-6c1b-4c43-9a51-0e7a4f0b8a2d',
  }),
})
const ERRORS = { ...TOKEN_ERRORS, ...STARTING_ERROR }
const UNKNOWN = { 404: errorResponse.describe('There is no such silence.') }
const CHANGE_ERRORS = {
  ...TOKEN_ERRORS,
  ...UNKNOWN,
  503: errorResponse.describe(
    'Alerting is starting, or the change holds but could not be written to disk; try again.',
  ),
}

/** Serves `/api/silences` and `/api/silences/{id}`, on a scope whose prefix is `/api`. */
export function registerSilenceRoutes(api: FastifyInstance, alerting: Alerting): void {
  api.get(
    '/silences',
    {
      schema: {
        summary: 'Silences',
        description: 'Those to come, those in force, and those lately over.',
        tags: TAGS,
        response: { 200: silencesResponse, ...ERRORS },
      },
    },
    async (request) => {
      const now = alerting.clock.now()
      const silences = [...alerting.state.silences.values()]
        .filter((silence) => silence.tenant === request.tenant)
        .sort((a, b) => b.startsAtMs - a.startsAtMs)
      return { silences: silences.map((silence) => silenceView(silence, now)) }
    },
  )
  api.get(
    '/silences/:id',
    {
      schema: {
        summary: 'One silence',
        tags: TAGS,
        params: idParameter,
        response: { 200: silenceResponse, ...ERRORS, ...UNKNOWN },
      },
    },
    async (request) => {
      const { id } = request.params as { readonly id: string }
      return silenceView(findSilence(alerting.state, request.tenant, id), alerting.clock.now())
    },
  )
  api.post(
    '/silences',
    {
      schema: {
        summary: 'Make or change a silence',
        description:
          'With the `id` of one that is not over, the same matchers and, once it has begun, the same start, that one is changed; otherwise ' +
          'it ends and a new one begins. Answers the silence in force. A token needs the scope `write`.',
        tags: TAGS,
        body: postableSilence,
        response: {
          200: silenceResponse,
          400: errorResponse.describe('The silence is wrong; the message says why.'),
          ...CHANGE_ERRORS,
        },
      },
    },
    async (request) => {
      const given = readRequest(postableSilence, request.body, 'the silence')
      const now = alerting.clock.now()
      const { id, events } = setSilence(
        alerting.state,
        {
          ...given,
          tenant: request.tenant,
          id: given.id || null,
          startsAtMs: given.startsAt ?? now,
          endsAtMs: given.endsAt ?? now,
          annotations: given.annotations ?? {},
        },
        now,
        () => crypto.randomUUID(),
      )
      await alerting.record(events)
      return silenceView(findSilence(alerting.state, request.tenant, id), now)
    },
  )
  api.delete(
    '/silences/:id',
    {
      schema: {
        summary: 'End a silence now',
        description: 'One that is over stays as it is. Answers the silence. A token needs the scope `write`.',
        tags: TAGS,
        params: idParameter,
        response: { 200: silenceResponse, ...CHANGE_ERRORS },
      },
    },
    async (request) => {
      const { id } = request.params as { readonly id: string }
      const now = alerting.clock.now()
      const events = expireSilence(alerting.state, request.tenant, id, now)
      if (events.length > 0) await alerting.record(events)
      return silenceView(findSilence(alerting.state, request.tenant, id), now)
    },
  )
}

function silenceView(silence: Silence, nowMs: number): z.output<typeof silenceResponse> {
  const { id, matchers, createdBy, comment, annotations } = silence
  return {
    id,
    state: silenceState(silence, nowMs),
    matchers: matchers.map((matcher) => ({ ...matcher, text: matcherText(matcher) })),
    startsUnixNano: nanos(silence.startsAtMs),
    endsUnixNano: nanos(silence.endsAtMs),
    updatedUnixNano: nanos(silence.updatedAtMs),
    createdBy,
    comment,
    annotations,
  }
}
