const DAY_S = 86_400
/** What overflows 64 bits is no time; what Go makes of it depends on the processor. */
const MOST_SECONDS = 2 ** 63

/** Functions of a time in Unix seconds, in UTC, by name. */
export const DATE_FUNCTIONS: Readonly<Record<string, (seconds: number) => number>> = {
  minute: (seconds) => part(seconds, (whole) => Math.floor(modulo(whole, 3600) / 60)),
  hour: (seconds) => part(seconds, (whole) => Math.floor(modulo(whole, DAY_S) / 3600)),
  day_of_week: (seconds) => part(seconds, (whole) => modulo(Math.floor(whole / DAY_S) + 4, 7)),
  day_of_month: (seconds) => part(seconds, (whole) => civil(whole).day),
  day_of_year: (seconds) =>
    part(seconds, (whole) => Math.floor(whole / DAY_S) - daysSinceEpoch(civil(whole).year, 1, 1) + 1),
  days_in_month: (seconds) =>
    part(seconds, (whole) => {
      const { year, month } = civil(whole)
      const next = month === 12 ? daysSinceEpoch(year + 1, 1, 1) : daysSinceEpoch(year, month + 1, 1)
      return next - daysSinceEpoch(year, month, 1)
    }),
  month: (seconds) => part(seconds, (whole) => civil(whole).month),
  year: (seconds) => part(seconds, (whole) => civil(whole).year),
}

function part(seconds: number, take: (whole: number) => number): number {
  return Math.abs(seconds) < MOST_SECONDS ? take(Math.trunc(seconds)) : Number.NaN
}

function modulo(value: number, by: number): number {
  return value - by * Math.floor(value / by)
}

/** The proleptic Gregorian calendar, counted in eras of 400 years that start in March, so that the leap day comes last. */
function civil(seconds: number): { readonly year: number; readonly month: number; readonly day: number } {
  const days = Math.floor(seconds / DAY_S) + 719_468
  const era = Math.floor(days / 146_097)
  const dayOfEra = days - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
