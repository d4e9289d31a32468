import { parseDuration } from '../../../model/duration.ts'

/**
 * Reads the start times of a series in the notation of Prometheus' test scripts, each relative to the sample at its place: `-1m`, `_` (not known), `*`
 * (as the one before), each with `xN` (N more of it, but `_xN`: N in all), `-1m-30sx3` (each 30 s further back). Milliseconds. Throws
 * SyntaxError.
 */
export function parseStartOffsets(text: string): readonly (number | null)[] {
  const offsets: (number | null)[] = []
  for (const item of text.split(/\s+/).filter((word) => word !== '')) {
    offsets.push(...offsetsOf(item, offsets.findLast((offset) => offset !== null) ?? 0))
  }
  return offsets
}

const DURATION = String.raw`[+-]?(?:(?:\d+(?:ms|[smhdwy]))+|0)`
const ITEM = new RegExp(String.raw`^(?:(_)|(\*)|(${DURATION})(?:([+-])(${DURATION}))?)(?:x(\d+))?$`)
const MOST_REPETITIONS = 1_000_000

function offsetsOf(item: string, previous: number): (number | null)[] {
  const match = ITEM.exec(item)
  const [, omitted, same, base = '', sign, step, times] = match ?? []
  const count = Number(times ?? 0)
  if (match === null || count > MOST_REPETITIONS || (step !== undefined && times === undefined)) {
    throw new SyntaxError(`invalid start time ${JSON.stringify(item)}`)
  }
  if (omitted !== undefined) return new Array<null>(times === undefined ? 1 : count).fill(null)
  const first = same === undefined ? milliseconds(base) : previous
  const by = step === undefined ? 0 : milliseconds(step) * (sign === '-' ? -1 : 1)
  return Array.from({ length: count + 1 }, (_, index) => first + index * by)
}

function milliseconds(text: string): number {
  const ms = parseDuration(text.replace(/^[+-]/, ''))
  if (ms === null) throw new SyntaxError(`invalid duration ${JSON.stringify(text)}`)
  return text.startsWith('-') ? -ms : ms
}
