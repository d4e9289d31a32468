import { type SeededRandom, seededRandom } from '../support/seeded-random.ts'
import { type Answer, ask, type Question } from './ask.ts'
import { compareAnswers } from './compare-answers.ts'
import { generateExpression } from './generate-expression.ts'
import type { JudgedMetric } from './judged-metrics.ts'
import type { JudgedRange } from './judged-series.ts'
import { KNOWN_DIFFERENCES, spelledForTheirs } from './known-difference.ts'
import { isRounding } from './rounding.ts'
import { smallerExpressions } from './smaller-expressions.ts'

/** Who is asked what. */
export interface JudgeOptions {
  /** The Prometheus API of the judge, and ours. */
  readonly theirs: string
  readonly ours: string
  readonly seed: number
  /** How many questions of each kind. */
  readonly instant: number
  readonly range: number
  /** Where the series stand in time, whole seconds. */
  readonly series: JudgedRange
  readonly metrics: readonly JudgedMetric[]
  /** Milliseconds of the second at which there are samples; default: those of `judgedSeries`. */
  readonly sampleMs?: ReadonlySet<number>
  /** Questions in flight; default 4. */
  readonly concurrency?: number
  /** Stop after so many differences; default 10. */
  readonly most?: number
}

/** A question that the two answer differently. */
export interface Difference {
  readonly question: Question
  readonly problem: string
  /** The smallest question found that they still answer differently. */
  readonly smallest: Question
  readonly smallestProblem: string
}

/** What came out. */
export interface Verdict {
  readonly asked: number
  /** Questions that both refuse. */
  readonly errors: number
  /** Questions to which both say that there is nothing. */
  readonly empty: number
  /** Differences between the versions that are known, by reason. */
  readonly known: ReadonlyMap<string, number>
  readonly differences: readonly Difference[]
}

/** Asks both the same generated questions. Question `i` of a kind depends on seed, `i` and the series' range only. */
export async function judge(options: JudgeOptions): Promise<Verdict> {
  const { instant, range, concurrency = 4, most = 10 } = options
  const known = new Map<string, number>()
  const differences: Difference[] = []
  const counts = { asked: 0, errors: 0, empty: 0 }
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < instant + range && differences.length < most) {
      const question = questionAt(options, next++)
      const { theirs, ours, problem } = await askBoth(options, question)
      counts.asked++
      if (theirs.kind === 'error' && ours.kind === 'error') counts.errors++
      else if ('series' in ours && ours.series.length === 0) counts.empty++
      if (problem === null) continue
      const smallest = await shrink(options, question, problem)
      const { reason } = smallest
      if (reason === null) differences.push({ question, problem, ...smallest })
      else known.set(reason, (known.get(reason) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { ...counts, known, differences }
}

/** A question as a person can repeat it. */
export function questionText(question: Question): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3)
  const when =
    'timeMs' in question
      ? `at ${seconds(question.timeMs)}`
      : `from ${seconds(question.startMs)} to ${seconds(question.endMs)} step ${seconds(question.stepMs)}`
  return `${when}: ${question.expr}`
}

function questionAt(options: JudgeOptions, index: number): Question {
  const { seed, instant, series, metrics } = options
  const { boundMs, hasSubqueries } = boundsBeside(options.sampleMs)
  const isInstant = index < instant
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))
  const expr = generateExpression({ random, range: series, isInstant, boundMs, hasSubqueries, metrics })
  const timeMs = momentIn(random, series) + boundMs
  if (isInstant) return { expr, timeMs }
  const stepMs = random.pick([10_000, 15_000, 15_000, 30_000, 60_000, 60_000, 300_000, 7_000])
  const points = 1 + random.below(60)
  return {
    expr,
    startMs: timeMs - (points - 1) * stepMs,
    endMs: timeMs + random.below(2) * 1000,
    stepMs,
  }
}

/** A whole second: mostly in the second half of the series' time, often in its last minute, now and then up to ten minutes behind its end. */
function momentIn(random: SeededRandom, { startMs, endMs }: JudgedRange): number {
  const seconds = (endMs - startMs) / 1000
  switch (random.below(10)) {
    case 0:
      return startMs + random.below(seconds + 600) * 1000
    case 1:
    case 2:
    case 3:
      return endMs - random.below(60) * 1000
    default:
      return endMs - random.below(seconds / 2) * 1000
  }
}

/**
 * Version 2 has windows that are closed at their beginning, version 3 open ones, so none may begin on a sample. As all lengths are whole seconds,
 * it is enough that they begin at a millisecond of the second at which there is none.
 */
function boundsBeside(sampleMs: ReadonlySet<number> | undefined): {
  readonly boundMs: number
  readonly hasSubqueries: boolean
} {
  if (sampleMs === undefined) return { boundMs: 7, hasSubqueries: true }
  // Windows of subqueries are 3 ms longer than whole seconds, and must not begin on a whole one.
  for (let boundMs = 4; boundMs < 1000; boundMs++) {
    if (!sampleMs.has(boundMs)) return { boundMs, hasSubqueries: !sampleMs.has(0) }
  }
  throw new Error(
    'Cannot ask anything that both versions agree on: there are samples at every millisecond of the second',
  )
}

async function askBoth(options: JudgeOptions, question: Question) {
  const spelled = { ...question, expr: spelledForTheirs(question.expr) }
  const [theirs, ours] = await Promise.all([ask(options.theirs, spelled), ask(options.ours, question)])
  const isOrdered = theirs.kind === 'vector' && /^(sort|sort_desc)\(/.test(question.expr)
  return { theirs, ours, problem: compareAnswers(theirs, ours, { isOrdered }) }
}

function reasonOf(expr: string, theirs: Answer, ours: Answer): string | null {
  return KNOWN_DIFFERENCES.find((known) => known.applies(expr, theirs, ours))?.reason ?? null
}

const ROUNDING = 'one operation makes much of a difference in the last digits of what goes into it'

/** The smallest question that is still answered differently, and the reason if its difference is a known one. */
async function shrink(options: JudgeOptions, question: Question, problem: string) {
  const first = await askBoth(options, question)
  const isTheirError = first.theirs.kind === 'error'
  const isOurError = first.ours.kind === 'error'
  let smallest = question
  let smallestProblem = problem
  let tries = 400
  const smaller = async (): Promise<boolean> => {
    for (const expr of smallerExpressions(smallest.expr)) {
      if (tries-- <= 0) return false
      const candidate = { ...smallest, expr }
      const { theirs, ours, problem: again } = await askBoth(options, candidate)
      if (
        again === null ||
        (theirs.kind === 'error') !== isTheirError ||
        (ours.kind === 'error') !== isOurError
      )
        continue
      if (KNOWN_DIFFERENCES.some((one) => one.isAvoided === true && one.applies(expr, theirs, ours))) continue
      smallest = candidate
      smallestProblem = again
      return true
    }
    return false
  }
  while (await smaller());
  const { theirs, ours } = await askBoth(options, smallest)
  const reason = reasonOf(smallest.expr, theirs, ours)
  const isRounded = reason === null && (await isRounding(smallest, (one) => askBoth(options, one)))
  return { smallest, smallestProblem, reason: isRounded ? ROUNDING : reason }
}
