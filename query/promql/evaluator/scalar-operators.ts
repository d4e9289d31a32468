import type { ArithmeticOp, BinaryOp, ComparisonOp, TrimOp } from '../ast.ts'

/** The arithmetic operators on two numbers, as Go computes them. */
export const ARITHMETIC: Readonly<Record<ArithmeticOp, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': power,
  atan2: Math.atan2,
}

/** The comparisons of two numbers. */
export const COMPARISON: Readonly<Record<ComparisonOp, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

/** Whether an operator compares. */
export function isComparison(op: BinaryOp): op is ComparisonOp {
  return Object.hasOwn(COMPARISON, op)
}

/** Whether an operator computes. */
export function isArithmetic(op: BinaryOp): op is ArithmeticOp {
  return Object.hasOwn(ARITHMETIC, op)
}

/** Whether an operator cuts buckets off native histograms; there is nothing it does to numbers. */
export function isTrim(op: BinaryOp): op is TrimOp {
  return op === '</' || op === '>/'
}

/** One operator on two elements: the value, or undefined when a comparison filters it out. */
export type ElementOperator = (a: number, b: number) => number | undefined

/** What an operator does to a pair of elements. With `returnBool` a comparison gives 0 or 1, else its left side. */
export function elementOperator(op: ArithmeticOp | ComparisonOp, returnBool: boolean): ElementOperator {
  if (isArithmetic(op)) return ARITHMETIC[op]
  const holds = COMPARISON[op]
  return returnBool ? (a, b) => (holds(a, b) ? 1 : 0) : (a, b) => (holds(a, b) ? a : undefined)
}

/** IEEE 754's pow, as in Go; JavaScript gives NaN where the base is 1 or -1 and the exponent infinite, or the base 1 and it is NaN. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1
  if (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY) return 1
  return base ** exponent
}
