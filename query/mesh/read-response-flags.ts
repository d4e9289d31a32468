import type { QueryDeps } from '../query-deps.ts'
import { rollUpSource } from '../traces/roll-up-source.ts'

/** Which 503s, of whom. Epoch milliseconds, end exclusive; widened to whole slots of ten seconds. */
export interface ReadResponseFlagsRequest {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  /** The callee as its callers name it; several names of one service. Empty: all. */
  readonly upstreams: readonly string[]
  readonly httpStatus: number
  readonly signal?: AbortSignal | undefined
}

/** Attempts that ended with one status and the same response flags. */
export interface ResponseFlagCount {
  /** As Envoy writes them, several joined by commas; '' for none. */
  readonly flags: string
  readonly count: number
}

/**
 * Flags of attempts that got no answer and for which Envoy itself answers 503 (`Utility::sendLocalReply`): overflow, nobody healthy, connection
 * failed, connection ended, reset by the upstream, reset here.
 */
const FLAGS_OF_503: readonly string[] = ['UO', 'UH', 'UF', 'UC', 'UR', 'LR']

/**
 * Counts callers' attempts by response flags, most first. An attempt that got no answer counts as the 503 that the proxy makes of it. Throws what
 * `Storage.select` throws.
 */
export async function readResponseFlags(
  deps: QueryDeps,
  request: ReadResponseFlagsRequest,
): Promise<ResponseFlagCount[]> {
  const { tenant, upstreams, httpStatus, signal } = request
  const isAny = upstreams.length === 0
  const source = rollUpSource('edges', ['response_flags', 'calls'], request, {
    sql: `(http_status = {httpStatus:UInt16} OR http_status = 0 AND response_flags IN {localFlags:Array(String)})${isAny ? '' : ' AND upstream IN {upstreams:Array(String)}'}`,
    params: {
      httpStatus,
      localFlags: httpStatus === 503 ? FLAGS_OF_503 : [],
      ...(isAny ? {} : { upstreams }),
    },
  })
  const rows = await deps.storage.select<{ readonly flags: string; readonly count: string }>({
    name: 'mesh.response-flags',
    tenant,
    sql: `SELECT response_flags AS flags, toString(sum(calls)) AS count
FROM (
  ${source.sql}
)
GROUP BY response_flags
ORDER BY sum(calls) DESC, response_flags
LIMIT 20`,
    params: source.params,
    ...(signal === undefined ? {} : { signal }),
  })
  return rows.map(({ flags, count }) => ({ flags, count: Number(count) }))
}
