import { readFileSync } from 'node:fs'

/** Resident memory of a process, bytes: now and at its highest (Linux). */
export function residentMemory(pid: number | undefined): { readonly now: number; readonly highest: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  return { now: bytes('VmRSS'), highest: bytes('VmHWM') }
}
