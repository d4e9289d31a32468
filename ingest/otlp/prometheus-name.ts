/** What a metric's name in Prometheus depends on. */
export interface MetricNaming {
  readonly name: string
  /** UCUM, as OpenTelemetry writes units: `ms`, `By/s`, `{request}`. */
  readonly unit: string
  /** A sum that only grows. */
  readonly isCounter: boolean
  readonly isGauge: boolean
}

/**
 * A metric's name in Prometheus, made as Prometheus makes it of OTLP: what is no letter or digit becomes `_`, unit and `_total` (or `_ratio`)
 * are added unless they are there. Names that are Istio's, Envoy's or our own Prometheus names already stay as they are. Of
 * histograms and summaries it is the name without `_bucket`, `_sum`, `_count`.
 */
export function prometheusName({ name, unit, isCounter, isGauge }: MetricNaming): string {
  if (ALREADY_PROMETHEUS.test(name)) return name
  let tokens = name.split(/[^\p{L}\p{Nd}:]+/u).filter((token) => token !== '')
  const [main = '', per = ''] = splitUnit(unit)
  const mainName = unitTokens(MAIN_UNITS, main)
  if (mainName !== '' && !tokens.includes(mainName)) tokens.push(mainName)
  const perName = unitTokens(PER_UNITS, per)
  if (perName !== '' && !tokens.includes(perName)) tokens.push('per', perName)
  if (isCounter) tokens = [...tokens.filter((token) => token !== 'total'), 'total']
  if (isGauge && unit.trim() === '1') tokens = [...tokens.filter((token) => token !== 'ratio'), 'ratio']
  const joined = tokens.join('_')
  if (joined === '') return '_'
  return /^\d/.test(joined) ? `_${joined}` : joined
}

const ALREADY_PROMETHEUS = /^(istio|envoy|pilot|mesh|meshwatch)_[a-zA-Z0-9_:]+$/

const MAIN_UNITS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
])

const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
])

function splitUnit(unit: string): [string, string] {
  const slash = unit.indexOf('/')
  return slash === -1 ? [unit, ''] : [unit.slice(0, slash), unit.slice(slash + 1)]
}

/** A unit's name; '' for what stands in braces, which is a remark. */
function unitTokens(names: ReadonlyMap<string, string>, unit: string): string {
  const trimmed = unit.trim()
  if (/[{}]/.test(trimmed)) return ''
  return (names.get(trimmed) ?? trimmed)
    .split(/[^a-zA-Z0-9]+/)
    .filter(Boolean)
    .join('_')
}
