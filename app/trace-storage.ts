import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AppError } from '../runtime/errors.ts'
import { OWN_SCOPE } from '../runtime/request-tracing.ts'
import type { Select, Storage } from '../storage/storage.ts'

/**
 * The same storage with a client span around each select that a traced request asks. Inserts have none: our own spans may be
 * what is inserted, and would then beget spans for ever.
 */
export function traceStorage(storage: Storage): Storage {
  const traced = <Answer>(question: Select, ask: () => Promise<Answer>): Promise<Answer> => {
    if (trace.getActiveSpan()?.isRecording() !== true) return ask()
    const attributes = {
      'db.system.name': 'clickhouse',
      'db.namespace': storage.database,
      'db.operation.name': 'SELECT',
      'db.query.summary': question.name,
    }
    return trace
      .getTracer(OWN_SCOPE)
      .startActiveSpan(question.name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
        try {
          return await ask()
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR })
          span.setAttribute('error.type', error instanceof AppError ? error.code : 'INTERNAL')
          throw error
        } finally {
          span.end()
        }
      })
  }
  return {
    ...storage,
    select: <Row>(question: Select) => traced(question, () => storage.select<Row>(question)),
    selectColumns: (question) => traced(question, () => storage.selectColumns(question)),
  }
}
