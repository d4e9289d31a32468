import { AppError } from '../../runtime/errors.ts'

/** The error of a query that would need more samples than one may have, in Prometheus' words. */
export function tooManySamples(): AppError {
  return new AppError('RESULT_TOO_LARGE', TOO_MANY_SAMPLES)
}

/** What {@link tooManySamples} says. */
export const TOO_MANY_SAMPLES = 'query processing would load too many samples into memory in query execution'
