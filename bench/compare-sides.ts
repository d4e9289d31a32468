import { writeFile } from 'node:fs/promises'
import { type Figure, ms } from './figure.ts'
import { readProcessUsage } from './process-usage.ts'
import { quantile } from './quantile.ts'

/** What there is of each of the two that are compared. */
export interface Sides<T> {
  readonly theirs: T
  readonly ours: T
}

/** How long questions took each, milliseconds. */
export interface Times {
  readonly theirs: number[]
  readonly ours: number[]
  /** CPU time of all questions, milliseconds: what counts where the cores have other work too. */
  readonly cpuMs: { theirs: number; ours: number }
}

/** Nothing asked yet. */
export const emptyTimes = (): Times => ({ theirs: [], ours: [], cpuMs: { theirs: 0, ours: 0 } })

/** A question to the query API: the path behind `/api/v1/`. */
export type Question = readonly [path: string, parameters: Readonly<Record<string, string>>]

/** Asks both the same by turns; milliseconds until the answer is whole. The first question of each is for warming up. */
export async function takeTurns(
  both: Sides<string>,
  pids: Sides<number>,
  turns: number,
  question: Question,
): Promise<Times> {
  await askBoth(both, pids, question, emptyTimes())
  const times = emptyTimes()
  for (let turn = 0; turn < turns; turn++) await askBoth(both, pids, question, times)
  return times
}

/** Asks each once. Throws when one does not answer with success. */
export async function askBoth(
  both: Sides<string>,
  pids: Sides<number>,
  [path, parameters]: Question,
  times: Times,
): Promise<void> {
  for (const side of ['theirs', 'ours'] as const) {
    const before = readProcessUsage(pids[side]).cpuSeconds
    times[side].push(await timed(`${both[side]}/api/v1/${path}`, parameters))
    times.cpuMs[side] += (readProcessUsage(pids[side]).cpuSeconds - before) * 1000
  }
}

/** Milliseconds until an answer is whole. Throws when it is no success. */
export async function timed(url: string, parameters: Readonly<Record<string, string>>): Promise<number> {
  const begun = performance.now()
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(parameters) })
  const body = await response.arrayBuffer()
  const took = performance.now() - begun
  if (!response.ok)
    throw new Error(
      `Cannot measure ${parameters['query']}: HTTP ${response.status}, ${Buffer.from(body.slice(0, 500))}`,
    )
  return took
}

/** The figure of a quantile of both times; `atLeast`: how many times faster ours is to be; null: it is only reported. */
export function compared(what: string, times: Times, q: number, atLeast: number | null): Figure {
  const ours = quantile(times.ours, q)
  const theirs = quantile(times.theirs, q)
  return {
    what,
    value: `${ms(ours)}, ${(theirs / ours).toFixed(2)} × as fast; CPU ${ms(times.cpuMs.ours / times.ours.length)}`,
    ...(atLeast === null ? {} : { target: `${atLeast} ×`, isReached: theirs / ours >= atLeast }),
    beside: `Prometheus ${ms(theirs)}; CPU ${ms(times.cpuMs.theirs / times.theirs.length)}`,
  }
}

/** The peak of a process's resident memory, bytes. */
export function peakOf(pid: number): number {
  return readProcessUsage(pid).peakRssBytes
}

/** Linux then counts the peak of resident memory from now on. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}
