/** Functions of one number, applied to every sample of a vector, by name. */
export const MATH_FUNCTIONS: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  deg: (value) => (value * 180) / Math.PI,
  rad: (value) => (value * Math.PI) / 180,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
}

/** Functions of one number and parameters, by name. */
export const PARAMETER_FUNCTIONS: Readonly<
  Record<string, (value: number, parameters: readonly number[]) => number>
> = {
  round: (value, [to = 1]) => {
    const inverse = 1 / to
    return Math.floor(value * inverse + 0.5) / inverse
  },
  clamp: (value, [least = 0, most = 0]) => larger(least, smaller(most, value)),
  clamp_min: (value, [least = 0]) => larger(least, value),
  clamp_max: (value, [most = 0]) => smaller(most, value),
}

/** The larger, as Go's `math.Max`: infinity wins over NaN. */
export function larger(a: number, b: number): number {
  if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  return Math.max(a, b)
}

/** The smaller, as Go's `math.Min`. */
export function smaller(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY
  return Math.min(a, b)
}
