/**
 * Writes a number as Prometheus' API does: the shortest digits that read back as the same number, with an exponent below 1e-6 and
 * from 1e21 (`1e-07`), `NaN`, `+Inf`, `-Inf`. `plain`: never an exponent.
 */
export function formatFloat(value: number, form: 'exponent' | 'plain' = 'exponent'): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  // Nearly all numbers, and there may be millions.
  if (!text.includes('e')) return text
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-])(\d+)$/.exec(text)
  if (match === null) return text
  const [, sign = '', first = '', rest = '', direction = '+', exponent = '0'] = match
  if (form === 'exponent') return text.replace(/e[+-]\d+$/, `e${direction}${exponent.padStart(2, '0')}`)
  const digits = first + rest
  if (direction === '-') return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${digits}`
  return `${sign}${digits.padEnd(Number(exponent) + 1, '0')}`
}

/** Writes a number as the labels `le` and `quantile` have it since Prometheus 3: always with a point or an exponent (`1.0`). */
export function formatBound(value: number): string {
  const text = formatFloat(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}
