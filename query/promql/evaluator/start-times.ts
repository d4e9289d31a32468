/**
 * Whether a counter was reset between two samples, told by when they began to count (epoch milliseconds, 0: not known). A start at or after
 * its own sample says nothing; one that is exactly the sample before is a reset only where that sample's own start is known (delta series).
 */
export function isStartReset(startBefore: number, timeBefore: number, start: number, time: number): boolean {
  if (start === 0 || start >= time || start < timeBefore) return false
  if (start > timeBefore) return true
  return startBefore !== 0 && startBefore < timeBefore
}

/** Whether a sample began to count before the sample before it and is not of the same beginning: two things share one series. */
export function isStartOverlap(startBefore: number, timeBefore: number, start: number): boolean {
  return start !== 0 && start < timeBefore && start !== startBefore
}
