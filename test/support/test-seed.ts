import { randomInt } from 'node:crypto'

const DEFAULT_SEED = 20_261_120

/**
 * The seed of whatever is drawn in a test: `usual`, so that every run is the same, unless MESHWATCH_TEST_SEED is a number or `random`;
 * then it is printed, with what it is for. Throws for any other text.
 */
export function testSeed(what: string, usual = DEFAULT_SEED): number {
  const asked = process.env['MESHWATCH_TEST_SEED'] ?? ''
  if (asked === '') return usual
  const seed = asked === 'random' ? randomInt(2 ** 31) : Number(asked)
  if (!Number.isSafeInteger(seed)) {
    throw new Error(
      `Cannot seed ${what}: MESHWATCH_TEST_SEED is neither a whole number nor "random": ${asked}`,
    )
  }
  console.info(`${what}: MESHWATCH_TEST_SEED=${seed}`)
  return seed
}
