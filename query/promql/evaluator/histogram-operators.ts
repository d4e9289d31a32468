import type { FloatHistogram } from '../../../model/float-histogram.ts'
import { addHistograms, subtractHistograms } from '../../../model/histogram/add-histograms.ts'
import { compactHistogram } from '../../../model/histogram/compact-histogram.ts'
import { histogramEquals } from '../../../model/histogram/histogram-equals.ts'
import { divideHistogram, scaleHistogram } from '../../../model/histogram/scale-histogram.ts'
import { trimLower, trimUpper } from '../../../model/histogram/trim-histogram.ts'
import type { ArithmeticOp, ComparisonOp, TrimOp } from '../ast.ts'
import { annotationTexts } from './annotation-texts.ts'

/** One side of an operator: a number or a native histogram. */
export type Operand = number | FloatHistogram

/** What is to be told of an operator. */
export interface OperatorNote {
  readonly level: 'warning' | 'info'
  readonly text: string
}

/** What an operator makes of a pair of which at least one is a native histogram, or of anything with a trimming operator. */
export type OperatorOutcome =
  /** A comparison that does not hold has a histogram, too: the left one. */
  | { readonly histogram: FloatHistogram; readonly isKept: boolean; readonly note: OperatorNote | null }
  /** There is nothing of that kind. */
  | { readonly histogram: null; readonly note: OperatorNote }

/** Applies an operator as `vectorElemBinop` of Prometheus does. */
export function operateOnHistograms(
  op: ArithmeticOp | ComparisonOp | TrimOp,
  left: Operand,
  right: Operand,
): OperatorOutcome {
  if (typeof left !== 'number' && typeof right !== 'number') return onHistograms(op, left, right)
  if (typeof left !== 'number' && typeof right === 'number') {
    if (op === '*') return kept(compactHistogram(scaleHistogram(left, right)))
    if (op === '/') return kept(compactHistogram(divideHistogram(left, right)))
    if (op === '</') return kept(trimUpper(left, right))
    if (op === '>/') return kept(trimLower(left, right))
  }
  if (typeof left === 'number' && typeof right !== 'number' && op === '*') {
    return kept(compactHistogram(scaleHistogram(right, left)))
  }
  return refused(op, left, right)
}

function onHistograms(
  op: ArithmeticOp | ComparisonOp | TrimOp,
  left: FloatHistogram,
  right: FloatHistogram,
): OperatorOutcome {
  switch (op) {
    case '==':
      return { histogram: left, isKept: histogramEquals(left, right), note: null }
    case '!=':
      return { histogram: left, isKept: !histogramEquals(left, right), note: null }
    case '+':
    case '-': {
      const operation = op === '+' ? 'addition' : 'subtraction'
      const outcome = op === '+' ? addHistograms(left, right) : subtractHistograms(left, right)
      if (outcome === null) return dropped('warning', annotationTexts.incompatibleLayout(op))
      if (outcome.hasResetCollision)
        return dropped('warning', annotationTexts.counterResetCollision(operation))
      const compact = compactHistogram(outcome.histogram)
      const histogram: FloatHistogram = op === '-' ? { ...compact, counterResetHint: 'gauge' } : compact
      const note: OperatorNote | null = outcome.wereBoundsReconciled
        ? { level: 'info', text: annotationTexts.mismatchedCustomBuckets(operation) }
        : null
      return { histogram, isKept: true, note }
    }
    default:
      return refused(op, left, right)
  }
}

function kept(histogram: FloatHistogram): OperatorOutcome {
  return { histogram, isKept: true, note: null }
}

function refused(op: string, left: Operand, right: Operand): OperatorOutcome {
  return dropped('info', annotationTexts.incompatibleTypes(kindOf(left), op, kindOf(right)))
}

function dropped(level: OperatorNote['level'], text: string): OperatorOutcome {
  return { histogram: null, note: { level, text } }
}

function kindOf(operand: Operand): 'float' | 'histogram' {
  return typeof operand === 'number' ? 'float' : 'histogram'
}
