import type { Parameter } from '../../storage/storage.ts'
import {
  type AttributePlace,
  anyAttribute,
  bindAttribute,
  ownAttribute,
  resourceAttribute,
} from './attribute-conditions.ts'
import { allOf, type BoundSql } from './bound-sql.ts'
import type { TraceFilter } from './trace-filter.ts'

/**
 * The conditions of a filter on the columns that the spans and the roll-ups `red_*` share.
 * Parameters: names without underscore, fixed.
 */
export function sharedConditions(filter: TraceFilter): BoundSql {
  const conditions: BoundSql[] = []
  const equals = (column: string, name: string, type: string, value: Parameter | undefined) => {
    if (value !== undefined) {
      conditions.push({ sql: `${column} = {${name}:${type}}`, params: { [name]: value } })
    }
  }
  equals('service', 'service', 'String', filter.service)
  equals('name', 'operation', 'String', filter.operation)
  equals('kind', 'kind', 'String', filter.kind)
  equals('status_code', 'status', 'String', filter.status)
  equals('is_error', 'isError', 'Bool', filter.isError)
  equals('http_status', 'httpStatus', 'UInt16', filter.httpStatus)
  equals('grpc_status', 'grpcStatus', 'Int16', filter.grpcStatus)
  if (filter.flags !== undefined && filter.flags.length > 0) {
    conditions.push({
      sql: "hasAny(splitByChar(',', toString(response_flags)), {flags:Array(String)})",
      params: { flags: filter.flags },
    })
  }
  return allOf(conditions)
}

/** Whether the roll-ups `red_*` can answer for a filter: nothing in it needs the spans themselves. */
export function isSharedOnly(filter: TraceFilter): boolean {
  return spanOnlyConditions(filter, []).sql === '1'
}

/**
 * The conditions of a filter on a row of `spans`.
 * `places`: for each of `filter.attributes`, where it can be (from `locateAttributes`); absent: anywhere.
 */
export function spanConditions(filter: TraceFilter, places: readonly AttributePlace[]): BoundSql {
  const parts = [sharedConditions(filter), spanOnlyConditions(filter, places)]
  return allOf(parts.filter(({ sql }) => sql !== '1'))
}

function spanOnlyConditions(filter: TraceFilter, places: readonly AttributePlace[]): BoundSql {
  const conditions: BoundSql[] = []
  const add = (sql: string, params: BoundSql['params'] = {}) => conditions.push({ sql, params })
  const { minDurationNs, maxDurationNs, isRetried, isRoot } = filter
  if (minDurationNs !== undefined) add('duration_ns >= {minNs:Int64}', { minNs: int64(minDurationNs) })
  if (maxDurationNs !== undefined) add('duration_ns <= {maxNs:Int64}', { maxNs: int64(maxDurationNs) })
  if (isRetried !== undefined) add(isRetried ? 'retry_attempt > 0' : 'retry_attempt = 0')
  if (isRoot !== undefined) add(`parent_span_id ${isRoot ? '=' : '!='} toFixedString('', 8)`)
  if (filter.upstream !== undefined) add('upstream = {upstream:String}', { upstream: filter.upstream })
  if (filter.upstreamCluster !== undefined) {
    add('upstream_cluster = {cluster:String}', { cluster: filter.upstreamCluster })
  }
  if (filter.upstreamEndpoint !== undefined) {
    add('upstream_endpoint = {endpoint:String}', { endpoint: filter.upstreamEndpoint })
  }
  filter.spanAttributes?.forEach((attribute, index) => {
    const name = `s${index}`
    add(ownAttribute(name, attribute), bindAttribute(name, attribute))
  })
  filter.resourceAttributes?.forEach((attribute, index) => {
    const name = `r${index}`
    add(resourceAttribute(name, attribute), bindAttribute(name, attribute))
  })
  filter.attributes?.forEach((attribute, index) => {
    const name = `a${index}`
    add(anyAttribute(name, attribute, places[index] ?? 'both'), bindAttribute(name, attribute))
  })
  return allOf(conditions)
}

function int64(value: bigint): bigint {
  return BigInt.asIntN(64, value) === value ? value : value > 0n ? 2n ** 63n - 1n : -(2n ** 63n)
}
