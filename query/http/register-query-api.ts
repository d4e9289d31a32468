import type { FastifyInstance } from 'fastify'
import type { QueryDeps } from '../query-deps.ts'
import { registerJaegerApi } from './jaeger/register-jaeger-api.ts'
import { registerNativeApi } from './native/register-native-api.ts'
import { registerTempoApi } from './tempo/register-tempo-api.ts'

/** Serves everything this room answers: the native API under `/api`, the façades under `/jaeger` and `/tempo`. */
export async function registerQueryApi(app: FastifyInstance, deps: QueryDeps): Promise<void> {
  registerNativeApi(app, deps)
  registerJaegerApi(app, deps)
  registerTempoApi(app, deps)
}
