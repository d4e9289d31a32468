/**
 * By what a change between the first and the last sample of a window is multiplied so that it becomes the change over the whole window
 * (`extrapolatedRate`): it is extrapolated to the window's bounds as far as samples come close to them (within 1.1 times the average
 * distance), else by half that distance. A counter that has grown is not extrapolated to before it was zero: there `first` is its first value
 * and `change` the change; else `change` is 0. All times in milliseconds; at least two samples.
 */
export function extrapolationFactor(
  firstMs: number,
  lastMs: number,
  count: number,
  startMs: number,
  endMs: number,
  first: number,
  change: number,
): number {
  const sampled = (lastMs - firstMs) / 1000
  const average = sampled / (count - 1)
  const threshold = average * 1.1
  let toStart = (firstMs - startMs) / 1000
  let toEnd = (endMs - lastMs) / 1000
  if (toStart >= threshold) toStart = average / 2
  if (change > 0 && first >= 0) {
    const toZero = sampled * (first / change)
    if (toZero < toStart) toStart = toZero
  }
  if (toEnd >= threshold) toEnd = average / 2
  return (sampled + toStart + toEnd) / sampled
}

/**
 * The same where the counter is known to have begun, at zero, at `startedMs`, inside the window and before its first sample: it need not be
 * extrapolated to the window's start. One sample is enough.
 */
export function extrapolationFactorSince(
  startedMs: number,
  firstMs: number,
  lastMs: number,
  count: number,
  endMs: number,
): number {
  const average = count > 1 ? (lastMs - firstMs) / 1000 / (count - 1) : 0
  const sampled = (lastMs - startedMs) / 1000
  let toEnd = (endMs - lastMs) / 1000
  if (toEnd >= average * 1.1) toEnd = average / 2
  return sampled === 0 ? 1 : (sampled + toEnd) / sampled
}
