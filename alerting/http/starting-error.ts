import { errorResponse } from '../../runtime/answer-schemas.ts'

/** What every route of alerting may answer while the server starts. */
export const STARTING_ERROR = { 503: errorResponse.describe('Alerting is starting; try again.') } as const
