import { SPAN_KINDS, STATUS_CODES } from '../../../model/span.ts'
import { AppError } from '../../../runtime/errors.ts'
import type { QueryDeps } from '../../query-deps.ts'
import { listAttributeKeys } from '../../traces/list-attribute-keys.ts'
import { listAttributeValues } from '../../traces/list-attribute-values.ts'
import { listOperations } from '../../traces/list-operations.ts'
import { listServices } from '../../traces/list-services.ts'

/** What is no attribute and can be searched by name all the same. */
export const INTRINSIC_TAGS = ['duration', 'kind', 'name', 'status'] as const

/** Whose tags, and where to look. Epoch milliseconds, end exclusive. */
export interface TagRange {
  readonly tenant: string
  readonly startMs: number
  readonly endMs: number
  readonly signal: AbortSignal
}

/** The tags of one scope, by name. */
export interface TagScope {
  readonly name: 'span' | 'resource' | 'intrinsic'
  readonly tags: readonly string[]
}

/** A value of a tag and its TraceQL type. */
export interface TagValue {
  readonly type: 'string' | 'int' | 'float' | 'bool' | 'keyword'
  readonly value: string
}

const SCOPES = ['span', 'resource', 'intrinsic'] as const
/** Scopes of Tempo's in which this server has no searchable tags. */
const EMPTY_SCOPES = ['event', 'link', 'instrumentation']

/**
 * Lists tags by scope; scopes without tags are left out, as Tempo does (Grafana expects it). `scope` is a name of TraceQL's,
 * `none` or null for all. Throws AppError INVALID_ARGUMENT for another one, and what `Storage.select` throws.
 */
export async function listTagScopes(
  deps: QueryDeps,
  range: TagRange,
  scope: string | null,
): Promise<TagScope[]> {
  const isKnown = scope === null || scope === 'none' || [...SCOPES, ...EMPTY_SCOPES].includes(scope)
  if (!isKnown) throw new AppError('INVALID_ARGUMENT', `invalid scope: ${scope.slice(0, 100)}`)
  const wanted = SCOPES.filter((name) => scope === null || scope === 'none' || name === scope)
  const levels = wanted.filter((name) => name !== 'intrinsic')
  const keys = levels.length === 0 ? [] : await listAttributeKeys(deps, { ...range, levels })
  return wanted
    .map((name) => ({
      name,
      tags:
        name === 'intrinsic'
          ? INTRINSIC_TAGS
          : keys.filter(({ level }) => level === name).map(({ key }) => key),
    }))
    .filter(({ tags }) => tags.length > 0)
}

/**
 * Lists values of a tag: an intrinsic (`name`, `status` …), or an attribute, with its scope (`span.http.method`,
 * `resource.x`, `.x`) or without. Attributes' values are those of the newest spans. Throws what `Storage.select` throws.
 */
export async function listTagValues(
  deps: QueryDeps,
  range: TagRange,
  tag: string,
  service: string | undefined,
): Promise<TagValue[]> {
  const name = tag.replace(/^span:(?=name$|kind$|status$|duration$)/, '')
  if (name === 'status') return STATUS_CODES.map((value) => ({ type: 'keyword', value }))
  if (name === 'kind') return SPAN_KINDS.map((value) => ({ type: 'keyword', value }))
  if (name === 'duration') return []
  if (name === 'name' || name === 'rootName' || name === 'trace:rootName') {
    const operations = await listOperations(deps, { ...range, service })
    return operations.map((operation) => ({ type: 'string', value: operation.name }))
  }
  const { level, key } = attributeOf(name)
  if (SERVICE_TAGS.includes(name) || (key === 'service.name' && level !== 'span')) {
    const services = await listServices(deps, range)
    return services.map((seen) => ({ type: 'string', value: seen.service }))
  }
  const values = await listAttributeValues(deps, { ...range, key, level, service })
  return values.flatMap(({ value, kind }) => {
    const type = TYPES[kind]
    return type === undefined ? [] : [{ type, value }]
  })
}

const SERVICE_TAGS = ['rootServiceName', 'trace:rootService', 'root.service.name']

/** TraceQL's types of the kinds of attributes that can be compared. */
const TYPES: Readonly<Record<string, TagValue['type']>> = {
  '': 'string',
  s: 'string',
  i: 'int',
  d: 'float',
  b: 'bool',
}

function attributeOf(tag: string): { readonly key: string; readonly level: 'span' | 'resource' | undefined } {
  if (tag.startsWith('span.')) return { key: tag.slice('span.'.length), level: 'span' }
  if (tag.startsWith('resource.')) return { key: tag.slice('resource.'.length), level: 'resource' }
  return { key: tag.replace(/^\./, ''), level: undefined }
}
