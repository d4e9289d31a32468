import { performance } from 'node:perf_hooks'

const PERIOD_MS = 250
const BUSY_FROM = 0.85
const BUSY_UNTIL = 0.6

/** Tells when this thread's event loop becomes busy (85 % of a quarter second) and when it is no longer (60 %). Returns a function that ends it. */
export function watchLoad(onChange: (isBusy: boolean) => void): () => void {
  let last = performance.eventLoopUtilization()
  let isBusy = false
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    const next = utilization >= (isBusy ? BUSY_UNTIL : BUSY_FROM)
    if (next !== isBusy) onChange(next)
    isBusy = next
  }, PERIOD_MS)
  timer.unref()
  return () => clearInterval(timer)
}
