import { RE2JS } from 're2js'
import { compareLabels } from '../../model/labels.ts'
import { loadedSamples } from '../../query/promql/promqltest/loaded-samples.ts'
import {
  type EvalCommand,
  type ExpectedMessage,
  parseTestScript,
  type TestCommand,
} from '../../query/promql/promqltest/parse-test-script.ts'
import type { QueryEngine, QueryResult } from '../../query/promql/query-engine.ts'
import { errorMessage } from '../../runtime/errors.ts'
import { compareAnswers } from './compare-answers.ts'
import { compareMatrix, compareResult } from './compare-result.ts'
import { pinToTime } from './pin-to-time.ts'
import { openMemoryTarget, type ScriptTarget } from './script-target.ts'

/** What became of one `eval` of a script. `failure` null: it passed. */
export interface CaseOutcome {
  readonly line: number
  readonly expr: string
  readonly failure: string | null
}

const MINUTE_MS = 60_000
/** Functions whose answer depends on the query's own range. */
const RANGE_BOUND = /(start|end|range|step)\(\)/

/**
 * Runs a script as Prometheus' own runner does: every case as it is, instant cases again with `@` at other times and as the middle of a
 * range. A case that fails does not end the script. Several engines of the target must each pass, and give the same. `target`: default
 * samples in memory; it is cleared before, and not closed.
 */
export async function runScript(
  text: string,
  target: ScriptTarget = openMemoryTarget(),
): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = []
  await target.clear()
  const commands = parseTestScript(text, (thrown, line) => {
    outcomes.push({ line, expr: '', failure: errorMessage(thrown) })
  })
  for (const command of commands) {
    if (command.kind === 'clear') await target.clear()
    else if (command.kind === 'load') {
      const failure = await loadFailureOf(target, command)
      if (failure !== null) outcomes.push({ line: command.line, expr: '', failure })
    } else
      outcomes.push({ line: command.line, expr: command.expr, failure: await failureOf(target, command) })
  }
  return outcomes
}

async function loadFailureOf(
  target: ScriptTarget,
  command: Extract<TestCommand, { readonly kind: 'load' }>,
): Promise<string | null> {
  try {
    await target.load(loadedSamples(command.series, command))
    return null
  } catch (thrown) {
    return errorMessage(thrown)
  }
}

/** Asks one engine, and keeps what it answered. */
type Ask = (query: Question) => Promise<QueryResult>
type Question =
  | { readonly expr: string; readonly timeMs: number }
  | { readonly expr: string; readonly startMs: number; readonly endMs: number; readonly stepMs: number }

async function failureOf(target: ScriptTarget, command: EvalCommand): Promise<string | null> {
  let first: readonly (QueryResult | string)[] | null = null
  for (const engine of target.engines) {
    const answers: (QueryResult | string)[] = []
    const failure = await judge(recording(engine, target.tenant(), answers), command)
    if (failure !== null) {
      return target.engines.length > 1 ? `${pathName(target, engine)}: ${failure}` : failure
    }
    const difference = first === null ? null : differenceBetween(first, answers)
    if (difference !== null) return `the paths differ: ${difference}`
    first = answers
  }
  return null
}

function pathName(target: ScriptTarget, engine: QueryEngine): string {
  return target.engines.indexOf(engine) === 0 ? 'first path' : 'second path'
}

function recording(engine: QueryEngine, tenant: string, answers: (QueryResult | string)[]): Ask {
  return async (question) => {
    try {
      const answer = await ('timeMs' in question
        ? engine.instant({ tenant, ...question })
        : engine.range({ tenant, ...question }))
      answers.push(answer)
      return answer
    } catch (thrown) {
      answers.push(errorMessage(thrown))
      throw thrown
    }
  }
}

function differenceBetween(
  mine: readonly (QueryResult | string)[],
  theirs: readonly (QueryResult | string)[],
): string | null {
  for (const [index, a] of mine.entries()) {
    const b = theirs[index]
    if (typeof a === 'string' || typeof b === 'string' || b === undefined) {
      if (a !== b) return `${JSON.stringify(a)} and ${JSON.stringify(b)}`
    } else {
      const difference = compareAnswers(a, b)
      if (difference !== null) return difference
    }
  }
  return null
}

async function judge(ask: Ask, command: EvalCommand): Promise<string | null> {
  const { expr, when } = command
  return (
    (await compareOnce(ask, command, { expr, ...when })) ??
    (await compareAtOtherTimes(ask, command)) ??
    (await compareInsideRange(ask, command))
  )
}

async function compareOnce(ask: Ask, command: EvalCommand, question: Question): Promise<string | null> {
  let result: QueryResult
  try {
    result = await ask(question)
  } catch (thrown) {
    const message = errorMessage(thrown)
    if (command.fail === null) return `fails: ${message}`
    return isMatch(command.fail, message) ? null : `fails otherwise: ${message}`
  }
  if (command.fail !== null) return 'does not fail'
  return (
    compareResult(command, result) ??
    compareNotes('warning', command.warn, command.isWithoutWarn, result.warnings) ??
    compareNotes('info', command.info, command.isWithoutInfo, result.infos)
  )
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
      return RE2JS.compile(expected.pattern).matcher(message).find()
  }
}

/** With every selector pinned to the time of the case, the time of the question makes no difference. */
async function compareAtOtherTimes(ask: Ask, command: EvalCommand): Promise<string | null> {
  const { when, expr } = command
  if (!('timeMs' in when) || command.fail !== null) return null
  const pinned = pinToTime(expr, when.timeMs)
  if (pinned === null) return null
  const t = when.timeMs
  // What is told has other places in this text.
  const bare = { ...command, warn: [], info: [] }
  for (const timeMs of t === 0 ? [-1000, 0, 1000] : [-10 * t, 0, Math.trunc(t / 5), t, 10 * t]) {
    const failure = await compareOnce(ask, bare, { expr: pinned, timeMs })
    if (failure !== null) return `${pinned} at ${timeMs} ms: ${failure}`
  }
  return null
}

async function compareInsideRange(ask: Ask, command: EvalCommand): Promise<string | null> {
  const { when, expr, result, isOrdered } = command
  if (!('timeMs' in when) || command.fail !== null) return null
  if (isOrdered || result.kind === 'string' || RANGE_BOUND.test(expr)) return null
  if (result.kind === 'series' && result.range !== null) return null
  const { timeMs } = when
  try {
    const answer = await ask({
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
