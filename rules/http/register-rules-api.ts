import type { FastifyInstance } from 'fastify'
import { errorResponse, TOKEN_ERRORS } from '../../runtime/answer-schemas.ts'
import { describeOnly } from '../../runtime/describe-only.ts'
import type { GroupState } from '../rule-state.ts'
import { nativeRules } from '../views/native-rules.ts'
import { rulesResponse } from '../views/native-rules-schemas.ts'

/** Serves `/api/rules`. `statesOf`: the groups of a tenant, as they are now. */
export function registerRulesApi(
  app: FastifyInstance,
  statesOf: (tenant: string) => readonly GroupState[],
): void {
  app.register(
    async (api) => {
      describeOnly(api)
      api.get(
        '/rules',
        {
          schema: {
            summary: 'Rules, with their last evaluation and their alerts',
            description: 'Every group of the rule files and packs in force.',
            tags: ['rules'],
            response: {
              200: rulesResponse,
              ...TOKEN_ERRORS,
              503: errorResponse.describe('Rules are starting; try again.'),
            },
          },
        },
        async (request) => nativeRules(statesOf(request.tenant)),
      )
    },
    { prefix: '/api' },
  )
}
