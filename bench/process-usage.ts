import { readFileSync } from 'node:fs'

/** What a process has used, from Linux' /proc. */
export interface ProcessUsage {
  /** All threads, user and system. */
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** The most it ever was. */
  readonly peakRssBytes: number
}

/** Hertz of the times in /proc; the same on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100

/** Reads the usage of a process. Throws where there is no /proc or no such process. */
export function readProcessUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name stands in parentheses and may hold anything; fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN)
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssBytes: kilobytes('VmRSS') * 1024,
    peakRssBytes: kilobytes('VmHWM') * 1024,
  }
}
