import { z } from 'zod'

/** A range of whole numbers, both ends included. */
export interface NumberRange {
  readonly from: number
  readonly to: number
}

/** When something is muted or active: every condition that is there must hold; an empty list is no condition. */
export interface TimeInterval {
  /** Minutes since midnight; the end is excluded. */
  readonly times: readonly { readonly startMinute: number; readonly endMinute: number }[]
  /** 0: Sunday. */
  readonly weekdays: readonly NumberRange[]
  /** Negative: from the month's end, -1 its last day. */
  readonly daysOfMonth: readonly NumberRange[]
  readonly months: readonly NumberRange[]
  readonly years: readonly NumberRange[]
  /** IANA name. */
  readonly location: string
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

const timeOfDay = z.string().transform((text, context) => {
  const match = /^((?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.exec(text)
  if (match !== null) return Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
  context.addIssue({ code: 'custom', message: `couldn't parse timestamp ${text}, invalid format` })
  return z.NEVER
})

function range(what: string, read: (part: string) => number | null) {
  return z.union([z.string(), z.int()]).transform((value, context): NumberRange => {
    const parts = String(value).split(':')
    const [from = null, to = from] = parts.map((part) => read(part.trim().toLowerCase()))
    // Days counted from either end cannot be compared without the month.
    const isOrdered = from !== null && to !== null && (from <= to || (from > 0 && to < 0))
    if (from !== null && to !== null && parts.length <= 2 && isOrdered) return { from, to }
    context.addIssue({ code: 'custom', message: `${String(value)} is not a valid ${what}` })
    return z.NEVER
  })
}

function wholeNumber(part: string, isGood: (value: number) => boolean): number | null {
  const value = /^-?\d+$/.test(part) ? Number(part) : Number.NaN
  return isGood(value) ? value : null
}

function named(names: readonly string[], part: string): number | null {
  const index = names.indexOf(part)
  return index < 0 ? null : index
}

const location = z.string().refine(
  (name) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
    } catch {
      return false
    }
  },
  { message: 'unknown time zone' },
)

/** One entry of `time_intervals[].time_intervals`. */
export const timeIntervalSchema = z
  .strictObject({
    times: z
      .array(
        z
          .strictObject({ start_time: timeOfDay, end_time: timeOfDay })
          .refine((time) => time.start_time < time.end_time, {
            message: 'start time cannot be equal or greater than end time',
          }),
      )
      .nullish(),
    weekdays: z.array(range('weekday', (part) => named(WEEKDAYS, part))).nullish(),
    days_of_month: z
      .array(
        range('day of the month', (part) => wholeNumber(part, (day) => day !== 0 && Math.abs(day) <= 31)),
      )
      .nullish(),
    months: z
      .array(
        range('month', (part) => {
          const index = named(MONTHS, part)
          return index === null ? wholeNumber(part, (month) => month >= 1 && month <= 12) : index + 1
        }),
      )
      .nullish(),
    years: z.array(range('year', (part) => wholeNumber(part, (year) => year > 0))).nullish(),
    location: location.default('UTC'),
  })
  .transform(
    (interval): TimeInterval => ({
      times: (interval.times ?? []).map((time) => ({
        startMinute: time.start_time,
        endMinute: time.end_time,
      })),
      weekdays: interval.weekdays ?? [],
      daysOfMonth: interval.days_of_month ?? [],
      months: interval.months ?? [],
      years: interval.years ?? [],
      location: interval.location,
    }),
  )
