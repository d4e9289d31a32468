/** strconv: "if precision was the shortest possible, use precision 6 for this decision". */
const SHORTEST_LIMIT = 6

/**
 * Formats a double as Go's strconv.FormatFloat does. `precision` -1: the fewest digits that read back as the same number.
 * `%g` uses an exponent when it is below -4 or not below the precision (6 for the shortest form, as fmt's %v).
 */
export function formatFloat(value: number, verb: 'e' | 'f' | 'g', precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (verb === 'f') {
    return sign + (precision < 0 ? shortestFixed(magnitude) : toFixed(magnitude, precision))
  }
  if (verb === 'e')
    return sign + goExponent(precision < 0 ? magnitude.toExponential() : toExponential(magnitude, precision))
  return sign + general(magnitude, precision)
}

function general(magnitude: number, precision: number): string {
  if (magnitude === 0) return '0'
  const isShortest = precision < 0
  const digits = precision === 0 ? 1 : precision
  const exponential = isShortest
    ? magnitude.toExponential()
    : magnitude.toExponential(Math.min(100, digits - 1))
  const [mantissa = '', exponentText = '0'] = exponential.split('e')
  const exponent = Number(exponentText)
  const significant = mantissa.replace('.', '')
  const trimmed = isShortest ? significant : significant.replace(/0+$/, '')
  const limit = isShortest ? SHORTEST_LIMIT : digits
  if (exponent < -4 || exponent >= limit) {
    const head = trimmed.length <= 1 ? trimmed || '0' : `${trimmed[0]}.${trimmed.slice(1)}`
    return goExponent(`${head}e${exponent}`)
  }
  return plain(trimmed, exponent)
}

/** Digits d₀d₁d₂… with value d₀.d₁d₂… × 10^exponent, without an exponent. */
function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return digits + '0'.repeat(exponent + 1 - digits.length)
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

function shortestFixed(magnitude: number): string {
  if (magnitude === 0) return '0'
  const [mantissa = '', exponent = '0'] = magnitude.toExponential().split('e')
  return plain(mantissa.replace('.', ''), Number(exponent))
}

/** toFixed is exact below 1e21 only. */
function toFixed(magnitude: number, precision: number): string {
  if (magnitude < 1e21) return magnitude.toFixed(Math.min(100, precision))
  const whole = BigInt(magnitude).toString()
  return precision > 0 ? `${whole}.${'0'.repeat(precision)}` : whole
}

function toExponential(magnitude: number, precision: number): string {
  return magnitude.toExponential(Math.min(100, precision))
}

/** Go writes at least two digits of exponent: 1e+06. */
function goExponent(text: string): string {
  return text.replace(/e([+-]?)(\d+)$/, (_all, sign: string, digits: string) => {
    return `e${sign === '-' ? '-' : '+'}${digits.padStart(2, '0')}`
  })
}
