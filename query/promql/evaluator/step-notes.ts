import type { Expr } from '../ast.ts'
import type { Annotations } from './annotations.ts'
import type { OperatorNote } from './histogram-operators.ts'

/** What an operator has to tell, moment by moment: of each only the last, as in Prometheus. */
export interface StepNotes {
  set(index: number, note: OperatorNote): void
  /** Tells what has been collected. */
  tell(notes: Annotations, at: Expr): void
}

/** An empty collection. */
export function createStepNotes(): StepNotes {
  const last = new Map<number, OperatorNote>()
  return {
    set: (index, note) => void last.set(index, note),
    tell(notes, at) {
      for (const { level, text } of last.values()) {
        if (level === 'warning') notes.warn(text, at)
        else notes.inform(text, at)
      }
    },
  }
}
