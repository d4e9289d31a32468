import type { Clock } from '../../runtime/clock.ts'
import type { Select, Storage } from '../../storage/storage.ts'
import type { PlanStatement } from '../promql/query-plan.ts'

/** The same storage, which tells of every statement that it has answered. */
export function watchStatements(
  storage: Storage,
  clock: Clock,
  onStatement: ((statement: PlanStatement) => void) | undefined,
): Storage {
  if (onStatement === undefined) return storage
  const tell = (question: Select, started: number, rows: number, rowsRead: number | null) =>
    onStatement({ name: question.name, sql: question.sql, rows, rowsRead, ms: clock.monotonic() - started })
  return {
    ...storage,
    async select<Row>(question: Select) {
      const started = clock.monotonic()
      const rows = await storage.select<Row>(question)
      tell(question, started, rows.length, null)
      return rows
    },
    async selectColumns(question) {
      const started = clock.monotonic()
      const answer = await storage.selectColumns(question)
      tell(question, started, answer.rows, answer.rowsRead)
      return answer
    },
  }
}
