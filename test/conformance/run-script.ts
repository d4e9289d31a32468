import { compareLabels } from '../../model/labels.ts'
import { createQueryEngine } from '../../query/promql/create-query-engine.ts'
import { createMemorySeriesSource, type MemorySeriesSource } from '../../query/promql/memory-series-source.ts'
import {
  type EvalCommand,
  type ExpectedMessage,
  parseTestScript,
  type TestCommand,
} from '../../query/promql/promqltest/parse-test-script.ts'
import type { QueryEngine, QueryResult } from '../../query/promql/query-engine.ts'
import { systemClock } from '../../runtime/clock.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { compareMatrix, compareResult } from './compare-result.ts'
import { pinToTime } from './pin-to-time.ts'

/** What became of one `eval` of a script. `failure` null: it passed. */
export interface CaseOutcome {
  readonly line: number
  readonly expr: string
  readonly failure: string | null
}

const TENANT = 'conformance'
const MINUTE_MS = 60_000
/** Functions whose answer depends on the query's own range. */
const RANGE_BOUND = /\b(start|end|step|range)\s*\(/

/**
 * Runs a script as Prometheus' own runner does: every case as it is, instant cases again with `@` at other times and as the middle of a
 * range. A case that fails does not end the script. `createEngine`: for another source than memory.
 */
export async function runScript(text: string): Promise<CaseOutcome[]> {
  const source = createMemorySeriesSource()
  // What Prometheus' runner sets, too.
  const engine = createQueryEngine({
    source,
    clock: systemClock,
    maxSamples: 10_000,
    isNameRemovalDelayed: true,
  })
  const outcomes: CaseOutcome[] = []
  for (const command of parseTestScript(text)) {
    if (command.kind === 'clear') source.clear()
    else if (command.kind === 'load') load(source, command)
    else outcomes.push({ line: command.line, expr: command.expr, failure: await failureOf(engine, command) })
  }
  return outcomes
}

function load(source: MemorySeriesSource, command: Extract<TestCommand, { readonly kind: 'load' }>): void {
  for (const { labels, values } of command.series) {
    for (const [index, value] of values.entries()) {
      const timeMs = index * command.stepMs
      if (value.kind === 'float') source.append(labels, timeMs, value.value)
      else if (value.kind === 'stale') source.append(labels, timeMs, Number.NaN, true)
    }
  }
}

async function failureOf(engine: QueryEngine, command: EvalCommand): Promise<string | null> {
  let result: QueryResult
  try {
    result = await ask(engine, command, command.expr)
  } catch (thrown) {
    const message = errorMessage(thrown)
    if (command.fail === null) return `fails: ${message}`
    return isMatch(command.fail, message) ? null : `fails otherwise: ${message}`
  }
  if (command.fail !== null) return 'does not fail'
  return (
    compareResult(command, result) ??
    compareNotes('warning', command.warn, command.isWithoutWarn, result.warnings) ??
    compareNotes('info', command.info, command.isWithoutInfo, result.infos) ??
    (await compareAtOtherTimes(engine, command)) ??
    (await compareInsideRange(engine, command))
  )
}

function ask(engine: QueryEngine, command: EvalCommand, expr: string): Promise<QueryResult> {
  const { when } = command
  if ('timeMs' in when) return engine.instant({ tenant: TENANT, expr, timeMs: when.timeMs })
  return engine.range({ tenant: TENANT, expr, ...when })
}

function compareNotes(
  what: string,
  expected: readonly ExpectedMessage[],
  isNone: boolean,
  actual: readonly string[],
): string | null {
  if (isNone && actual.length > 0) return `unexpected ${what}: ${actual[0]}`
  if (expected.length === 0) return null
  const missing = expected.find((wanted) => !actual.some((message) => isMatch(wanted, message)))
  if (missing !== undefined) return `expected ${what} is missing: ${JSON.stringify(missing)}, got ${actual}`
  const extra = actual.find((message) => !expected.some((wanted) => isMatch(wanted, message)))
  return extra === undefined ? null : `unexpected ${what}: ${extra}`
}

function isMatch(expected: ExpectedMessage, message: string): boolean {
  switch (expected.kind) {
    case 'any':
      return true
    case 'text':
      return message === expected.text
    case 'pattern':
      return new RegExp(expected.pattern).test(message)
  }
}

/** With every selector pinned to the time of the case, the time of the question makes no difference. */
async function compareAtOtherTimes(engine: QueryEngine, command: EvalCommand): Promise<string | null> {
  const { when, expr } = command
  if (!('timeMs' in when) || command.result.kind === 'string') return null
  if (command.result.kind === 'series' && command.result.range !== null) return null
  const pinned = pinToTime(expr, when.timeMs)
  if (pinned === null) return null
  const t = when.timeMs
  for (const timeMs of t === 0 ? [-1000, 0, 1000] : [-10 * t, 0, Math.trunc(t / 5), t, 10 * t]) {
    try {
      const result = await engine.instant({ tenant: TENANT, expr: pinned, timeMs })
      const failure = compareResult({ ...command, when: { timeMs } }, result)
      if (failure !== null) return `${pinned} at ${timeMs} ms: ${failure}`
    } catch (thrown) {
      return `${pinned} at ${timeMs} ms fails: ${errorMessage(thrown)}`
    }
  }
  return null
}

async function compareInsideRange(engine: QueryEngine, command: EvalCommand): Promise<string | null> {
  const { when, expr, result, isOrdered } = command
  if (!('timeMs' in when) || isOrdered || result.kind === 'string' || RANGE_BOUND.test(expr)) return null
  if (result.kind === 'series' && result.range !== null) return null
  const { timeMs } = when
  try {
    const answer = await engine.range({
      tenant: TENANT,
      expr,
      startMs: timeMs - MINUTE_MS,
      endMs: timeMs + MINUTE_MS,
      stepMs: MINUTE_MS,
    })
    if (answer.type !== 'matrix') return `as a range: a ${answer.type}`
    const sorted = [...answer.matrix].sort((a, b) => compareLabels(a.labels, b.labels))
    if (sorted.some((series, index) => series !== answer.matrix[index])) return 'as a range: not sorted'
    const failure = compareMatrix(result, answer.matrix, [timeMs])
    return failure === null ? null : `as a range: ${failure}`
  } catch (thrown) {
    return `as a range: fails: ${errorMessage(thrown)}`
  }
}
