import type { Matcher } from '../../model/matcher.ts'
import type { BinaryExpr, DurationExpr, Expr, TimeShift } from './ast.ts'
import { FUNCTIONS } from './functions-table.ts'
import { printNumber } from './print-expression.ts'

/** A node as Prometheus' `/api/v1/parse_query` gives it: `type` and what belongs to it; times in milliseconds. */
export type ExpressionJson = { readonly type: string } & Readonly<Record<string, unknown>>

/** An expression in the form of Prometheus' `/api/v1/parse_query`, which its browser UI draws as a tree. */
export function expressionJson(expr: Expr): ExpressionJson {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: printNumber(expr.value) }
    case 'string':
      return { type: 'stringLiteral', val: expr.value }
    case 'vectorSelector':
      return {
        type: 'vectorSelector',
        name: expr.name,
        ...shiftJson(expr),
        matchers: expr.matchers.map(matcherJson),
        anchored: expr.bounds === 'anchored',
        smoothed: expr.bounds === 'smoothed',
      }
    case 'matrixSelector':
      return {
        ...expressionJson(expr.selector),
        type: 'matrixSelector',
        range: expr.rangeMs,
        rangeExpr: durationJson(expr.rangeExpr),
      }
    case 'subquery':
      return {
        type: 'subquery',
        expr: expressionJson(expr.expr),
        range: expr.rangeMs,
        rangeExpr: durationJson(expr.rangeExpr),
        step: expr.stepMs,
        stepExpr: durationJson(expr.stepExpr),
        ...shiftJson(expr),
      }
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: expressionJson(expr.expr) }
    case 'paren':
      return { type: 'parenExpr', expr: expressionJson(expr.expr) }
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: expressionJson(expr.lhs),
        rhs: expressionJson(expr.rhs),
        matching: matchingJson(expr),
        bool: expr.returnBool,
      }
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: expressionJson(expr.expr),
        param: expr.param === null ? null : expressionJson(expr.param),
        grouping: expr.grouping,
        without: expr.isWithout,
      }
    case 'call': {
      const { argTypes = [], variadic = 0, returnType = expr.type } = FUNCTIONS.get(expr.name) ?? {}
      return {
        type: 'call',
        func: { name: expr.name, argTypes, variadic, returnType },
        args: expr.args.map(expressionJson),
      }
    }
  }
}

function shiftJson({ offsetMs, offsetExpr, at }: TimeShift): Record<string, unknown> {
  return {
    offset: offsetMs,
    offsetExpr: durationJson(offsetExpr),
    timestamp: at?.kind === 'time' ? at.ms : null,
    startOrEnd: at === null || at.kind === 'time' ? null : at.kind,
  }
}

function durationJson(duration: DurationExpr | null): ExpressionJson | null {
  if (duration === null) return null
  const operation = (op: string, lhs: DurationExpr | null, rhs: DurationExpr | null, wrapped = false) => ({
    type: 'durationExpr',
    op,
    lhs: durationJson(lhs),
    rhs: durationJson(rhs),
    wrapped,
  })
  switch (duration.kind) {
    case 'number':
      return { type: 'numberLiteral', val: printNumber(duration.seconds), duration: duration.isDuration }
    case 'call':
      return operation(duration.name, null, null)
    case 'binary':
      return operation(duration.op, duration.lhs, duration.rhs)
    case 'unary': {
      const { op, expr } = duration
      if (expr.kind !== 'number') return operation(op, null, expr)
      return durationJson(op === '-' ? { ...expr, seconds: -expr.seconds } : expr)
    }
    case 'paren': {
      const inner = durationJson(duration.expr)
      return inner?.type === 'durationExpr'
        ? { ...inner, wrapped: true }
        : operation('+', null, duration.expr, true)
    }
  }
}

function matcherJson({ name, op, value }: Matcher): Record<string, string> {
  return { name, value, type: op }
}

function matchingJson({ matching }: BinaryExpr): Record<string, unknown> | null {
  if (matching === null) return null
  const { card, labels, isOn, include, fillLeft, fillRight } = matching
  return { card, labels, on: isOn, include, fillValues: { lhs: fillLeft, rhs: fillRight } }
}
