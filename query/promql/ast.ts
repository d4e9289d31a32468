import type { Matcher } from '../../model/matcher.ts'

/** Where something stands in the query's text: UTF-16 offsets, `end` exclusive. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

/** The types of PromQL: `vector` is an instant vector, `matrix` a range vector. */
export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string'

/** An expression of PromQL, parsed and type-checked. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | UnaryExpr
  | ParenExpr
  | BinaryExpr
  | AggregateExpr
  | Call

/** A number, also one written as a duration (`5m` is 300); a sign before it is part of it. */
export interface NumberLiteral {
  readonly kind: 'number'
  readonly value: number
  /** Written as a duration. */
  readonly isDuration: boolean
  readonly range: TextRange
}

/** A text. `value` is unquoted. */
export interface StringLiteral {
  readonly kind: 'string'
  readonly value: string
  readonly range: TextRange
}

/** `@ 1600000000`, `@ start()`, `@ end()`. */
export type AtModifier =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }

/**
 * A duration that is computed: `[5m * 2]`, `offset step()`. `number` is in seconds. Where a node has such an expression, its
 * number of milliseconds is that of the expression when it is constant; otherwise it is 0 until {@link resolveDurations} puts it in.
 */
export type DurationExpr =
  | {
      readonly kind: 'number'
      readonly seconds: number
      readonly isDuration: boolean
      readonly range: TextRange
    }
  /** `step()` and `range()`: the query's own resolution and length. */
  | { readonly kind: 'call'; readonly name: 'step' | 'range'; readonly range: TextRange }
  | { readonly kind: 'unary'; readonly op: '+' | '-'; readonly expr: DurationExpr; readonly range: TextRange }
  | { readonly kind: 'paren'; readonly expr: DurationExpr; readonly range: TextRange }
  | {
      readonly kind: 'binary'
      readonly op: '+' | '-' | '*' | '/' | '%' | '^' | 'min_of' | 'max_of'
      readonly lhs: DurationExpr
      readonly rhs: DurationExpr
      readonly range: TextRange
    }

/** What moves a selector or a subquery in time. */
export interface TimeShift {
  /** How far it looks back, milliseconds; negative looks ahead. */
  readonly offsetMs: number
  readonly offsetExpr: DurationExpr | null
  readonly at: AtModifier | null
}

/** An instant selector. */
export interface VectorSelector extends TimeShift {
  readonly kind: 'vectorSelector'
  /** The metric's name when it stands before the braces, else ''. */
  readonly name: string
  /** All conditions, in the order written; the one on `__name__` that `name` means comes last. */
  readonly matchers: readonly Matcher[]
  /** Extended selectors (experimental): how the window's bounds are treated. */
  readonly bounds: '' | 'anchored' | 'smoothed'
  readonly range: TextRange
}

/** A range selector: the last `rangeMs` milliseconds of a selector. Its shift in time is the selector's. */
export interface MatrixSelector {
  readonly kind: 'matrixSelector'
  readonly selector: VectorSelector
  readonly rangeMs: number
  readonly rangeExpr: DurationExpr | null
  readonly range: TextRange
}

/** `expr[range:step]`. */
export interface Subquery extends TimeShift {
  readonly kind: 'subquery'
  readonly expr: Expr
  readonly rangeMs: number
  readonly rangeExpr: DurationExpr | null
  /** Milliseconds; 0 when it is left to the default resolution. */
  readonly stepMs: number
  readonly stepExpr: DurationExpr | null
  readonly range: TextRange
}

/** A sign before anything but a number. */
export interface UnaryExpr {
  readonly kind: 'unary'
  readonly op: '+' | '-'
  readonly expr: Expr
  readonly range: TextRange
}

/** An expression in parentheses. */
export interface ParenExpr {
  readonly kind: 'paren'
  readonly expr: Expr
  readonly range: TextRange
}

/** Operators that compute. */
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2'
/** Operators that compare and filter. */
export type ComparisonOp = '==' | '!=' | '<=' | '<' | '>=' | '>'
/** Operators on sets of series. */
export type SetOp = 'and' | 'or' | 'unless'
/** Operators that cut buckets off native histograms. */
export type TrimOp = '</' | '>/'
/** Every binary operator. */
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp

/** How the series of two vectors are matched. */
export interface VectorMatching {
  readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many'
  /** `on` (true) or `ignoring`. */
  readonly isOn: boolean
  readonly labels: readonly string[]
  /** Labels of `group_left` or `group_right`. */
  readonly include: readonly string[]
  /** What a missing series of a side counts as (experimental `fill`, `fill_left`, `fill_right`); null: nothing. */
  readonly fillLeft: number | null
  readonly fillRight: number | null
}

/** Two expressions and an operator. */
export interface BinaryExpr {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly lhs: Expr
  readonly rhs: Expr
  /** The `bool` modifier: 0 or 1 instead of filtering. */
  readonly returnBool: boolean
  /** Null unless both sides are instant vectors. */
  readonly matching: VectorMatching | null
  readonly range: TextRange
}

/** The aggregations; `limitk` and `limit_ratio` are experimental. */
export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio'

/** `sum by (job) (expr)`. */
export interface AggregateExpr {
  readonly kind: 'aggregate'
  readonly op: AggregateOp
  readonly expr: Expr
  /** The first argument of `topk`, `quantile`, `count_values` … */
  readonly param: Expr | null
  readonly grouping: readonly string[]
  /** `without` (true) or `by`. */
  readonly isWithout: boolean
  readonly range: TextRange
}

/** A call of a function of {@link FUNCTIONS}. */
export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expr[]
  /** What the call gives. */
  readonly type: ValueType
  readonly range: TextRange
}

/** The type of an expression's value. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'vectorSelector':
    case 'aggregate':
      return 'vector'
    case 'matrixSelector':
    case 'subquery':
      return 'matrix'
    case 'unary':
    case 'paren':
      return typeOf(expr.expr)
    case 'binary':
      return typeOf(expr.lhs) === 'scalar' && typeOf(expr.rhs) === 'scalar' ? 'scalar' : 'vector'
    case 'call':
      return expr.type
  }
}

/** The expressions directly below one, in the order written. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vectorSelector':
      return []
    case 'matrixSelector':
      return [expr.selector]
    case 'subquery':
    case 'unary':
    case 'paren':
      return [expr.expr]
    case 'binary':
      return [expr.lhs, expr.rhs]
    case 'aggregate':
      return expr.param === null ? [expr.expr] : [expr.param, expr.expr]
    case 'call':
      return expr.args
  }
}
