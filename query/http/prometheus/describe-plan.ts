import type { QueryReport, ReportPart } from '../../promql/frontend/query-report.ts'
import type { PlanStatement, PlanUnit } from '../../promql/query-plan.ts'

/** How a query was answered, for people and programs: `plan` of an answer with `?debug=plan`. */
export interface PlanJson {
  /** The same as text, line by line. */
  readonly text: readonly string[]
  readonly totalMs: number
  readonly notes: readonly string[]
  /** By time. */
  readonly parts: readonly object[]
}

/** Describes what a report has collected. `totalMs`: from the request to the answer being there. */
export function describePlan(report: QueryReport, totalMs: number): PlanJson {
  const notes = [...new Set([...report.notes, ...report.parts.flatMap(({ trace }) => trace?.notes ?? [])])]
  const statements = report.parts.flatMap(statementsOf)
  const rowsRead = statements.reduce((sum, { rowsRead: rows }) => sum + (rows ?? 0), 0)
  const counts = [
    count(report.parts.length, 'part'),
    `${report.parts.filter(({ from }) => from === 'cache').length} from memory`,
    count(statements.length, 'statement'),
    `${rowsRead} rows read`,
  ]
  return {
    text: [
      `${counts.join(', ')}, ${ms(totalMs)}`,
      ...notes.map((note) => `note: ${note}`),
      ...report.parts.flatMap(partLines),
    ],
    totalMs: rounded(totalMs),
    notes,
    parts: report.parts.map((part) => ({
      start: part.startMs / 1000,
      end: part.endMs / 1000,
      from: part.from,
      queuedMs: rounded(part.queuedMs),
      ms: rounded(part.ms),
      units: (part.trace?.units ?? []).map((unit) => ({
        ...unit,
        statements: unit.statements.map((statement) => ({ ...statement, ms: rounded(statement.ms) })),
      })),
    })),
  }
}

function partLines(part: ReportPart): string[] {
  const times = [part.startMs, part.endMs].map((time) => new Date(time).toISOString())
  const when = part.startMs === part.endMs ? `at ${times[0]}` : `${times[0]} to ${times[1]}`
  const where = part.from === 'cache' ? 'from memory' : `${ms(part.ms)}${waited(part.queuedMs)}`
  return [`${when}: ${where}`, ...(part.trace?.units ?? []).flatMap(unitLines)]
}

function unitLines(unit: PlanUnit): string[] {
  const found = `${unit.series} series, ${unit.samples} samples`
  return [
    `  ${unit.path}: ${unit.expr} (${unit.reason}): ${found}`,
    ...unit.statements.map(
      ({ name, rowsRead, rows, ms: took }) =>
        `    ${name}: ${rowsRead === null ? '' : `${rowsRead} rows read, `}${rows} rows, ${ms(took)}`,
    ),
  ]
}

function statementsOf({ trace }: ReportPart): PlanStatement[] {
  return (trace?.units ?? []).flatMap(({ statements }) => statements)
}

function waited(queuedMs: number): string {
  return queuedMs >= 1 ? ` after waiting ${ms(queuedMs)}` : ''
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function ms(value: number): string {
  return `${rounded(value)} ms`
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
