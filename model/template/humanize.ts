import { formatFloat } from './format-float.ts'
import { formatTime } from './format-value.ts'

/** `%.4g` with a metric prefix: 1234567 → 1.235M, 0.0012 → 1.2m (Prometheus' `humanize`). */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return four(value)
  return Math.abs(value) >= 1
    ? scaled(value, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'])
    : small(value)
}

/** `%.4g` with a binary prefix: 1048576 → 1Mi (Prometheus' `humanize1024`). */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return four(value)
  return scaled(value, 1024, ['', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'])
}

/** Seconds as `1d 0h 0m 0s`, `1m 30s`, `1.234s`, `100ms` (Prometheus' `humanizeDuration`). */
export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return four(seconds)
  if (seconds === 0) return '0s'
  if (Math.abs(seconds) < 1) return `${small(seconds)}s`
  const sign = seconds < 0 ? '-' : ''
  const magnitude = Math.abs(seconds)
  const whole = Math.trunc(magnitude)
  const days = Math.floor(whole / 86_400)
  const hours = Math.floor(whole / 3600) % 24
  const minutes = Math.floor(whole / 60) % 60
  const rest = whole % 60
  if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${rest}s`
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${rest}s`
  if (minutes !== 0) return `${sign}${minutes}m ${rest}s`
  return `${sign}${four(magnitude)}s`
}

/** A ratio as a percentage: 0.1234 → 12.34% (Prometheus' `humanizePercentage`). */
export function humanizePercentage(ratio: number): string {
  return `${four(ratio * 100)}%`
}

/** Unix seconds as `2015-06-23 13:19:44.128 +0000 UTC` (Prometheus' `humanizeTimestamp`). Throws RangeError beyond what a date holds. */
export function humanizeTimestamp(seconds: number): string {
  if (!Number.isFinite(seconds)) return four(seconds)
  const ms = seconds * 1000
  if (Math.abs(ms) > 8.64e15)
    throw new RangeError(`${formatFloat(seconds, 'g', -1)} cannot be represented as a timestamp`)
  return formatTime(Math.trunc(ms))
}

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  let index = 0
  let rest = value
  while (Math.abs(rest) >= base && index < prefixes.length - 1) {
    rest /= base
    index++
  }
  return four(rest) + (prefixes[index] ?? '')
}

function small(value: number): string {
  const prefixes = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y']
  let index = 0
  let rest = value
  while (Math.abs(rest) < 1 && index < prefixes.length - 1) {
    rest *= 1000
    index++
  }
  return four(rest) + (prefixes[index] ?? '')
}

function four(value: number): string {
  return formatFloat(value, 'g', 4)
}
