import { formatFloat } from '../../model/template/format-float.ts'

/** A number as OpenMetrics writes it in `le` and `quantile`: `1.0`, `0.25`, `1e+06`, `+Inf`. */
export function openMetricsNumber(value: number): string {
  if (value === 0) return '0.0'
  const text = formatFloat(value, 'g', -1)
  return Number.isFinite(value) && !/[e.]/.test(text) ? `${text}.0` : text
}
