/** Lengths of range selectors. */
export const RANGES = ['20s', '1m', '90s', '2m', '5m', '7m30s', '10m', '30m', '1h']
/** Offsets; negative ones look ahead. */
export const OFFSETS = ['10s', '1m', '5m', '17m', '1h', '-30s', '-10m']
/** Operators that compute, but `atan2`. */
export const ARITHMETIC = ['+', '-', '*', '/', '%', '^']
/** Operators that compare. */
export const COMPARISONS = ['==', '!=', '>', '<', '>=', '<=']
/** Operators on sets. */
export const SETS = ['and', 'or', 'unless']
/** Number literals. */
export const NUMBERS = [
  '0',
  '1',
  '2',
  '-1',
  '0.5',
  '10',
  '1e3',
  '0x1F',
  '-3.25',
  'NaN',
  'Inf',
  '-Inf',
  '1e-9',
  '.25',
  '42',
]
/** Number literals above 0. */
export const POSITIVE = ['1', '2', '0.5', '10', '3', '1e3']
/** Numbers for quantiles, some outside of 0 to 1. */
export const QUANTILES = ['0', '0.1', '0.5', '0.9', '0.99', '1', '-0.5', '1.5', 'NaN', '0.333']
/** Aggregations without parameter. */
export const SIMPLE_AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar']
/** Functions of one vector, value by value. */
export const MATH = ['abs', 'ceil', 'floor', 'sgn', 'sqrt', 'exp', 'ln', 'log2', 'log10', 'deg', 'rad']
/** Trigonometric ones. */
export const TRIGONOMETRY = [
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
]
/** Functions of a time in seconds. */
export const DATES = [
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
]
/** What stands before `_over_time` and takes a range vector alone. */
export const OVER_TIME = ['sum', 'avg', 'min', 'max', 'count', 'last', 'stddev', 'stdvar', 'present']
/** Functions of a range vector of counters. */
export const COUNTER_FUNCTIONS = ['rate', 'increase', 'irate', 'resets', 'changes']
/** Functions of a range vector of gauges. */
export const GAUGE_FUNCTIONS = ['delta', 'idelta', 'deriv', 'changes', 'resets', 'irate']
/** Labels that some of the series have, and one that none has. */
export const LABELS = [
  'job',
  'instance',
  'code',
  'method',
  'zone',
  'version',
  'le',
  'kind',
  'part',
  'path',
  'device',
  'absent_label',
]
