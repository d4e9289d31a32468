import type { NumberRange, TimeInterval } from '../configuration/time-interval-schema.ts'

/** Whether a moment (epoch milliseconds) lies in the interval, on the clocks and calendars of its location. */
export function isWithinInterval(interval: TimeInterval, nowMs: number): boolean {
  const { minute, weekday, day, month, year } = localTime(interval.location, nowMs)
  if (
    interval.times.length > 0 &&
    !interval.times.some((time) => minute >= time.startMinute && minute < time.endMinute)
  ) {
    return false
  }
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return (
    isInAny(interval.weekdays, weekday) &&
    isDayInAny(interval.daysOfMonth, day, daysInMonth) &&
    isInAny(interval.months, month) &&
    isInAny(interval.years, year)
  )
}

function isInAny(ranges: readonly NumberRange[], value: number): boolean {
  return ranges.length === 0 || ranges.some(({ from, to }) => value >= from && value <= to)
}

function isDayInAny(ranges: readonly NumberRange[], day: number, daysInMonth: number): boolean {
  const fromStart = (value: number) => (value < 0 ? daysInMonth + value + 1 : value)
  return (
    ranges.length === 0 ||
    ranges.some(({ from, to }) => day >= fromStart(from) && day <= Math.min(fromStart(to), daysInMonth))
  )
}

interface LocalTime {
  readonly minute: number
  readonly weekday: number
  readonly day: number
  readonly month: number
  readonly year: number
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
// Making a formatter costs far more than using it, and there are as many as locations in the configuration.
const formats = new Map<string, Intl.DateTimeFormat>()

function localTime(location: string, nowMs: number): LocalTime {
  let format = formats.get(location)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: location,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      weekday: 'short',
    })
    formats.set(location, format)
  }
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
  return {
    minute: number('hour') * 60 + number('minute'),
    weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? ''),
    day: number('day'),
    month: number('month'),
    year: number('year'),
  }
}
