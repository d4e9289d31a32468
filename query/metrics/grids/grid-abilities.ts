import type { Clock } from '../../../runtime/clock.ts'
import type { Storage } from '../../../storage/storage.ts'
import { checkGridFunctions, type GridAbilities } from './check-grid-functions.ts'

/**
 * Makes the function that tells what this ClickHouse computes rightly: found out with the first question, and again when that fails.
 * `onRefused` is told once of what it does not.
 */
export function createGridAbilities(
  storage: Storage,
  clock: Clock,
  onRefused: (refused: GridAbilities['refused']) => void = () => undefined,
): () => Promise<GridAbilities> {
  let known: Promise<GridAbilities> | null = null
  return () => {
    if (known !== null) return known
    const checking = checkGridFunctions(storage, clock)
    known = checking
    checking.then(
      ({ refused }) => {
        if (refused.length > 0) onRefused(refused)
      },
      () => {
        known = null
      },
    )
    return checking
  }
}
