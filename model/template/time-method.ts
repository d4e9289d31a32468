import { formatTime } from './format-value.ts'
import type { TemplateTime, Value } from './value.ts'

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** The methods of time.Time that messages use, in UTC; null for others. */
export function timeMethod(time: TemplateTime, name: string): Value | null {
  const date = new Date(time.ms)
  switch (name) {
    case 'String':
      return () => formatTime(time.ms)
    case 'Unix':
      return () => BigInt(Math.floor(time.ms / 1000))
    case 'UnixMilli':
      return () => BigInt(time.ms)
    case 'UTC':
    case 'Local':
      return () => time
    case 'Year':
      return () => BigInt(date.getUTCFullYear())
    case 'Month':
      return () => MONTHS[date.getUTCMonth()] ?? ''
    case 'Day':
      return () => BigInt(date.getUTCDate())
    case 'Hour':
      return () => BigInt(date.getUTCHours())
    case 'Minute':
      return () => BigInt(date.getUTCMinutes())
    case 'Second':
      return () => BigInt(date.getUTCSeconds())
    case 'Weekday':
      return () => DAYS[date.getUTCDay()] ?? ''
    case 'Format':
      return (layout) => formatLayout(date, typeof layout === 'string' ? layout : '')
    default:
      return null
  }
}

const LAYOUT =
  /2006|January|Jan|01|02|_2|Monday|Mon|15|03|3|04|05|\.0+|\.9+|PM|pm|MST|Z07:00|-07:00|-0700|1|2|06/g

/** An instant in Go's reference layout (Mon Jan 2 15:04:05 MST 2006), in UTC. */
export function formatLayout(date: Date, layout: string): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const hour12 = date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12
  const millis = String(date.getUTCMilliseconds()).padStart(3, '0')
  return layout.replace(LAYOUT, (part) => {
    switch (part) {
      case '2006':
        return String(date.getUTCFullYear())
      case '06':
        return two(date.getUTCFullYear() % 100)
      case 'January':
        return MONTHS[date.getUTCMonth()] ?? ''
      case 'Jan':
        return (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3)
      case '01':
        return two(date.getUTCMonth() + 1)
      case '1':
        return String(date.getUTCMonth() + 1)
      case '02':
        return two(date.getUTCDate())
      case '2':
        return String(date.getUTCDate())
      case '_2':
        return String(date.getUTCDate()).padStart(2, ' ')
      case 'Monday':
        return DAYS[date.getUTCDay()] ?? ''
      case 'Mon':
        return (DAYS[date.getUTCDay()] ?? '').slice(0, 3)
      case '15':
        return two(date.getUTCHours())
      case '03':
        return two(hour12)
      case '3':
        return String(hour12)
      case '04':
        return two(date.getUTCMinutes())
      case '05':
        return two(date.getUTCSeconds())
      case 'PM':
        return date.getUTCHours() < 12 ? 'AM' : 'PM'
      case 'pm':
        return date.getUTCHours() < 12 ? 'am' : 'pm'
      case 'MST':
        return 'UTC'
      case 'Z07:00':
        return 'Z'
      case '-07:00':
        return '+00:00'
      case '-0700':
        return '+0000'
      default:
        return fraction(part, millis)
    }
  })
}

/** `.000`: that many digits; `.999`: as many as are not zero. */
function fraction(part: string, millis: string): string {
  const digits = millis.padEnd(part.length - 1, '0').slice(0, part.length - 1)
  if (part.startsWith('.0')) return `.${digits}`
  const trimmed = digits.replace(/0+$/, '')
  return trimmed === '' ? '' : `.${trimmed}`
}
