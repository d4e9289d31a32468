import type { RequestContext } from './request-context.ts'

/** What a stage says: go on, or the request has its answer. */
export type StageVerdict = 'continue' | 'done'

/** One stage of a request's way. */
export type Stage = (context: RequestContext) => StageVerdict | Promise<StageVerdict>
