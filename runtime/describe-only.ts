import type { FastifyInstance } from 'fastify'

/**
 * Lets the zod schemas of a scope's routes describe them and do nothing else: what is asked is checked by the handlers, in their own words,
 * and answers are written as they are made.
 */
export function describeOnly(scope: FastifyInstance): void {
  scope.setValidatorCompiler(() => () => true)
  scope.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
}
