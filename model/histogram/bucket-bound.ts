import { CUSTOM_BUCKETS_SCHEMA, type FloatHistogram } from '../float-histogram.ts'

/** The finest and the coarsest schema of exponential buckets. */
export const FINEST_SCHEMA = 8
export const COARSEST_SCHEMA = -4

/**
 * The upper bound of bucket `index` of an exponential schema (-4 … 8): 2^(index · 2^-schema), to the last bit as Prometheus has it. The last
 * bucket of finite numbers ends at the greatest of them, the bucket after it at +Inf.
 */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent
  }
  const perOctave = 2 ** schema
  const octave = Math.floor(index / perOctave)
  const fraction = FRACTIONS[schema]?.[index - octave * perOctave] ?? Number.NaN
  if (fraction === 0.5 && octave === 1024) return Number.MAX_VALUE
  return timesPowerOfTwo(fraction, octave + 1)
}

/** The upper bound of bucket `index` of a histogram's positive side; bucket -1 of own bounds ends at -Inf, the one after the last bound at +Inf. */
export function bucketBound(
  index: number,
  histogram: Pick<FloatHistogram, 'schema' | 'customValues'>,
): number {
  if (histogram.schema !== CUSTOM_BUCKETS_SCHEMA) return exponentialBound(index, histogram.schema)
  if (index < 0) return Number.NEGATIVE_INFINITY
  return histogram.customValues[index] ?? Number.POSITIVE_INFINITY
}

/** Prometheus has the square root of two one unit in the last place below the nearest number. */
const SQUARE_ROOT_OF_TWO = Math.SQRT2 - Number.EPSILON

/**
 * Bounds in [0.5, 1) of the schemas 0 … 8. Every second bound of a schema is one of the schema before it; those between are the bound before
 * them times the schema's factor. Prometheus' table came about in this way, so the roundings are the same.
 */
const FRACTIONS: readonly (readonly number[])[] = fractionTables()

function fractionTables(): number[][] {
  const tables: number[][] = [[0.5]]
  for (let schema = 1; schema <= FINEST_SCHEMA; schema += 1) {
    const factor = schema === 1 ? SQUARE_ROOT_OF_TWO : 2 ** (2 ** -schema)
    tables.push((tables[schema - 1] ?? []).flatMap((bound) => [bound, bound * factor]))
  }
  return tables
}

/** In two steps where one power of two would overflow or vanish although the product does not. */
function timesPowerOfTwo(fraction: number, exponent: number): number {
  const half = Math.trunc(exponent / 2)
  return fraction * 2 ** half * 2 ** (exponent - half)
}
