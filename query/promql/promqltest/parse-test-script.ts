import { parseDuration } from '../../../model/duration.ts'
import { unquoteGo } from '../../../model/unquote-go.ts'
import { AppError, errorMessage } from '../../../runtime/errors.ts'
import { parseNumber, parseSignedNumber } from '../parse-number.ts'
import type { LoadedSeries } from './loaded-samples.ts'
import { parseLoad, type ScriptLine } from './parse-load.ts'
import { parseSeries, type SeriesDescription } from './parse-series.ts'

/** A command of one of Prometheus' test scripts (`*.test`). `line` counts from 1. */
export type TestCommand =
  | { readonly kind: 'clear'; readonly line: number }
  | {
      readonly kind: 'load'
      readonly line: number
      /** From one value to the next, milliseconds; the first stands at 0. */
      readonly stepMs: number
      /** `load_with_nhcb`: native histograms are to be made of the classic ones, too. */
      readonly withCustomBuckets: boolean
      readonly series: readonly LoadedSeries[]
    }
  | EvalCommand

/** A time range as scripts give it; both ends are part of it. */
export interface TestRange {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

/** What a message must be: anything, this very text, or a match of this pattern (RE2, anywhere). */
export type ExpectedMessage =
  | { readonly kind: 'any' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pattern'; readonly pattern: string }

/** `eval instant …` or `eval range …` and what must come out. */
export interface EvalCommand {
  readonly kind: 'eval'
  readonly line: number
  readonly expr: string
  readonly when: { readonly timeMs: number } | TestRange
  readonly isOrdered: boolean
  /** Null: it must succeed. */
  readonly fail: ExpectedMessage | null
  readonly warn: readonly ExpectedMessage[]
  readonly info: readonly ExpectedMessage[]
  /** `expect no_warn`, `expect no_info`. */
  readonly isWithoutWarn: boolean
  readonly isWithoutInfo: boolean
  readonly result: ExpectedResult
}

/** What an evaluation must give; `range` of an instant query whose result is a matrix. */
export type ExpectedResult =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | {
      readonly kind: 'series'
      readonly series: readonly SeriesDescription[]
      readonly range: TestRange | null
    }

/**
 * Reads a script in the language of Prometheus' `promqltest`: `clear`, `load`, `load_with_nhcb`, `eval instant`, `eval range`, with `expect …` lines
 * or the older `eval_fail`, `eval_warn`, `eval_info`, `eval_ordered`. Expressions are not parsed. Throws AppError INVALID_ARGUMENT with the line; where
 * `onBroken` is given it gets the error and the line of the command that cannot be read, and the others are read on.
 */
export function parseTestScript(
  text: string,
  onBroken?: (thrown: unknown, line: number) => void,
): readonly TestCommand[] {
  const lines = text.split('\n').map((line) => (line.trim().startsWith('#') ? '' : line.trim()))
  const commands: TestCommand[] = []
  let at = 0
  while (at < lines.length) {
    const head = lines[at] ?? ''
    const line = at + 1
    at += 1
    if (head === '') continue
    const body: ScriptLine[] = []
    if (/^(?:load|eval)/i.test(head)) {
      const isEval = /^eval/i.test(head)
      for (; (lines[at] ?? '') !== ''; at += 1) {
        const text = lines[at] ?? ''
        body.push({ line: at + 1, text })
        if (!isEval || !endsExpectations(text)) continue
        at += 1
        break
      }
    }
    try {
      commands.push(parseCommand(head, line, body))
    } catch (thrown) {
      if (onBroken === undefined) throw thrown
      onBroken(thrown, line)
    }
  }
  return commands
}

/** Whether nothing more is expected after this line, even without an empty one. */
function endsExpectations(text: string): boolean {
  return /^expected_fail_(?:message|regexp)\s/.test(text) || parseSignedNumber(text) !== null
}

function parseCommand(head: string, line: number, body: readonly ScriptLine[]): TestCommand {
  if (/^clear(?:\s|$)/i.test(head)) return { kind: 'clear', line }
  const load = /^load(_with_nhcb)?\s+(.+)$/i.exec(head)
  if (load !== null) {
    return {
      kind: 'load',
      line,
      stepMs: duration(load[2] ?? '', line),
      withCustomBuckets: load[1] !== undefined,
      series: parseLoad(body),
    }
  }
  const instant = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?)\s+)?(.+)$/i.exec(head)
  if (instant !== null) {
    const [, outcome, time = '0', expr = ''] = instant
    return evaluation(line, expr, { timeMs: duration(time, line) }, outcome, body)
  }
  const range = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/i.exec(
    head,
  )
  if (range !== null) {
    const [, outcome, start = '', end = '', step = '', expr = ''] = range
    return evaluation(line, expr, rangeOf(start, end, step, line), outcome, body)
  }
  throw broken(line, `unknown command ${JSON.stringify(head)}`)
}

function evaluation(
  line: number,
  expr: string,
  when: EvalCommand['when'],
  outcome: string | undefined,
  body: readonly ScriptLine[],
): EvalCommand {
  const any: ExpectedMessage = { kind: 'any' }
  const warn: ExpectedMessage[] = outcome === 'warn' ? [any] : []
  const info: ExpectedMessage[] = outcome === 'info' ? [any] : []
  let fail: ExpectedMessage | null = outcome === 'fail' ? any : null
  let isOrdered = outcome === 'ordered'
  let isWithoutWarn = false
  let isWithoutInfo = false
  let range: TestRange | null = null
  let value: ExpectedResult | null = null
  const series: SeriesDescription[] = []

  for (const entry of body) {
    const older = /^expected_fail_(message|regexp)\s+(.+)$/.exec(entry.text)
    const directive = /^expect\s+(\w+)\s*(.*)$/.exec(entry.text)
    if (older !== null) {
      const wanted = older[2] ?? ''
      fail = older[1] === 'message' ? { kind: 'text', text: wanted } : { kind: 'pattern', pattern: wanted }
    } else if (directive !== null) {
      const [, what = '', rest = ''] = directive
      switch (what) {
        case 'ordered':
          isOrdered = true
          break
        case 'no_warn':
          isWithoutWarn = true
          break
        case 'no_info':
          isWithoutInfo = true
          break
        case 'warn':
          warn.push(messageOf(rest, entry.line))
          break
        case 'info':
          info.push(messageOf(rest, entry.line))
          break
        case 'fail':
          fail = messageOf(rest, entry.line)
          break
        case 'string':
          value = { kind: 'string', value: unquoteGo(rest) }
          break
        case 'range': {
          const bounds = /^vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/.exec(rest)
          if (bounds === null) throw broken(entry.line, `cannot read ${JSON.stringify(entry.text)}`)
          range = rangeOf(bounds[1] ?? '', bounds[2] ?? '', bounds[3] ?? '', entry.line)
          break
        }
        default:
          throw broken(entry.line, `unknown expectation ${JSON.stringify(what)}`)
      }
    } else {
      const scalar = parseSignedNumber(entry.text)
      if (scalar === null) series.push(seriesOf(entry))
      else value = { kind: 'scalar', value: scalar }
    }
  }
  // Prometheus' runner asks for a range vector at the end that the expectation names.
  if (range !== null) when = { timeMs: range.endMs }
  const result = value ?? { kind: 'series', series, range }
  return { kind: 'eval', line, expr, when, isOrdered, fail, warn, info, isWithoutWarn, isWithoutInfo, result }
}

function messageOf(rest: string, line: number): ExpectedMessage {
  if (rest === '') return { kind: 'any' }
  const match = /^(msg|regex):\s*(.+)$/.exec(rest)
  if (match === null) throw broken(line, `cannot read the expectation ${JSON.stringify(rest)}`)
  const wanted = match[2] ?? ''
  return match[1] === 'msg' ? { kind: 'text', text: wanted } : { kind: 'pattern', pattern: wanted }
}

function seriesOf(entry: ScriptLine): SeriesDescription {
  try {
    return parseSeries(entry.text)
  } catch (thrown) {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Cannot read line ${entry.line} of the test script: ${errorMessage(thrown)}`,
      {
        cause: thrown,
        details: { line: entry.line },
      },
    )
  }
}

function rangeOf(start: string, end: string, step: string, line: number): TestRange {
  return { startMs: duration(start, line), endMs: duration(end, line), stepMs: duration(step, line) }
}

function duration(text: string, line: number): number {
  const unsigned = text.replace(/^-/, '')
  const seconds = parseNumber(unsigned)
  const ms = parseDuration(unsigned) ?? (seconds === null ? null : seconds * 1000)
  if (ms === null) throw broken(line, `not a valid duration string: ${JSON.stringify(text)}`)
  return unsigned === text ? ms : -ms
}

function broken(line: number, reason: string): AppError {
  return new AppError('INVALID_ARGUMENT', `Cannot read line ${line} of the test script: ${reason}`, {
    details: { line },
  })
}
