import { formatDuration } from '../../model/duration.ts'
import { isClassicLabelName, METRIC_NAME, quoteText } from '../../model/labels.ts'
import type {
  AggregateExpr,
  BinaryExpr,
  DurationExpr,
  Expr,
  MatrixSelector,
  Subquery,
  TimeShift,
  VectorSelector,
} from './ast.ts'

/**
 * Writes an expression in one line, the canonical form of Prometheus: equal for expressions that differ in spaces, quotes, the order of
 * matchers or the notation of numbers only. What it writes reads as the same expression again.
 */
export function printExpression(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration ? printSeconds(expr.value) : printLiteral(expr.value)
    case 'string':
      return quoteText(expr.value)
    case 'vectorSelector':
      return printSelector(expr) + printBounds(expr) + printShift(expr)
    case 'matrixSelector':
      return printSelector(expr.selector) + matrixSuffix(expr)
    case 'subquery':
      return printExpression(expr.expr) + subquerySuffix(expr)
    case 'unary':
      return expr.op + printExpression(expr.expr)
    case 'paren':
      return `(${printExpression(expr.expr)})`
    case 'binary':
      return `${printExpression(expr.lhs)} ${printOperator(expr)} ${printExpression(expr.rhs)}`
    case 'aggregate': {
      const param = expr.param === null ? '' : `${printExpression(expr.param)}, `
      return `${printAggregation(expr)}(${param}${printExpression(expr.expr)})`
    }
    case 'call':
      return `${expr.name}(${expr.args.map(printExpression).join(', ')})`
  }
}

/** A binary operator with everything that stands before its right side: `/ on (job) group_left ()`. */
export function printOperator(expr: BinaryExpr): string {
  const { op, matching } = expr
  let text = expr.returnBool ? `${op} bool` : op
  if (matching === null) return text
  const isGrouped = matching.card === 'many-to-one' || matching.card === 'one-to-many'
  if (matching.isOn || matching.labels.length > 0 || isGrouped) {
    text += ` ${matching.isOn ? 'on' : 'ignoring'} (${printLabels(matching.labels)})`
  }
  if (isGrouped) {
    text += ` group_${matching.card === 'many-to-one' ? 'left' : 'right'} (${printLabels(matching.include)})`
  }
  const { fillLeft, fillRight } = matching
  if (fillLeft !== null && Object.is(fillLeft, fillRight)) return `${text} fill (${printNumber(fillLeft)})`
  if (fillLeft !== null) text += ` fill_left (${printNumber(fillLeft)})`
  if (fillRight !== null) text += ` fill_right (${printNumber(fillRight)})`
  return text
}

/** An aggregation before its arguments: `sum by (job) `. */
export function printAggregation(expr: AggregateExpr): string {
  if (expr.isWithout) return `${expr.op} without (${printLabels(expr.grouping)}) `
  return expr.grouping.length === 0 ? expr.op : `${expr.op} by (${printLabels(expr.grouping)}) `
}

/** What stands behind the inner expression of a subquery: `[5m:1m] @ 100.000 offset 1m`. */
export function subquerySuffix(expr: Subquery): string {
  const range = printLength(expr.rangeMs, expr.rangeExpr)
  const step = expr.stepMs === 0 && expr.stepExpr === null ? '' : printLength(expr.stepMs, expr.stepExpr)
  return `[${range}:${step}]${printShift(expr)}`
}

/**
 * Writes a number as Go's `strconv.FormatFloat(value, 'f', -1, 64)`: the fewest digits that read back as the same number, no exponent.
 */
export function printNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [mantissa = '', exponent] = (Object.is(value, -0) ? '-0' : String(value)).split('e')
  if (exponent === undefined) return mantissa
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}

/** A sign in front would be an operator of its own: `+Inf ^ 2` is +(Inf ^ 2). */
function printLiteral(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'Inf' : printNumber(value)
}

function matrixSuffix(expr: MatrixSelector): string {
  const range = printLength(expr.rangeMs, expr.rangeExpr)
  return `[${range}]${printBounds(expr.selector)}${printShift(expr.selector)}`
}

function printSelector(selector: VectorSelector): string {
  const conditions = selector.matchers
    .filter(
      ({ name, op, value }) =>
        !(name === METRIC_NAME && op === '=' && value !== '' && value === selector.name),
    )
    .map(({ name, op, value }) => `${printLabel(name)}${op}${quoteText(value)}`)
    .sort()
  if (conditions.length === 0 && selector.name !== '') return selector.name
  return `${selector.name}{${conditions.join(',')}}`
}

function printBounds(selector: VectorSelector): string {
  return selector.bounds === '' ? '' : ` ${selector.bounds}`
}

function printShift({ at, offsetMs, offsetExpr }: TimeShift): string {
  let text = ''
  if (at?.kind === 'time') text += ` @ ${(at.ms / 1000).toFixed(3)}`
  else if (at !== null) text += ` @ ${at.kind}()`
  if (offsetMs !== 0 || offsetExpr !== null) text += ` offset ${printLength(offsetMs, offsetExpr)}`
  return text
}

function printLength(ms: number, expr: DurationExpr | null): string {
  return expr === null ? printSeconds(ms / 1000) : printDuration(expr)
}

function printDuration(expr: DurationExpr): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration ? printSeconds(expr.seconds) : printNumber(expr.seconds)
    case 'call':
      return `${expr.name}()`
    case 'paren':
      return `(${printDuration(expr.expr)})`
    case 'unary':
      return expr.op + printDuration(expr.expr)
    case 'binary': {
      const [lhs, rhs] = [printDuration(expr.lhs), printDuration(expr.rhs)]
      return expr.op.endsWith('_of') ? `${expr.op}(${lhs}, ${rhs})` : `${lhs} ${expr.op} ${rhs}`
    }
  }
}

function printSeconds(seconds: number): string {
  const ms = Math.round(seconds * 1e9) / 1e6
  // What is no whole number of milliseconds cannot be written with units.
  if (!Number.isSafeInteger(ms)) return printNumber(seconds)
  return ms < 0 ? `-${formatDuration(-ms)}` : formatDuration(ms)
}

function printLabels(labels: readonly string[]): string {
  return labels.map(printLabel).join(', ')
}

function printLabel(name: string): string {
  return isClassicLabelName(name) ? name : quoteText(name)
}
