import type { Resource, Scope, Span } from './trace.ts'

/** The spans of one scope of one resource, in the order given. */
export interface ScopeGroup {
  readonly scope: Scope
  readonly spans: readonly Span[]
}

/** The spans of one resource, by scope. */
export interface ResourceGroup {
  readonly resource: Resource
  readonly scopes: readonly ScopeGroup[]
}

interface OpenGroup {
  readonly resource: Resource
  readonly scopes: Map<string, { readonly scope: Scope; readonly spans: Span[] }>
}

/**
 * Groups spans by equal resource and, inside, by equal scope, as OTLP does. Groups stand in the order of their first
 * span. Spans that share the objects of resource and scope are grouped without comparing them.
 */
export function groupByOrigin(spans: readonly Span[]): ResourceGroup[] {
  const keyOf = rememberKeys()
  const groups = new Map<string, OpenGroup>()
  for (const span of spans) {
    const resourceKey = keyOf(span.resource)
    let group = groups.get(resourceKey)
    if (group === undefined) {
      group = { resource: span.resource, scopes: new Map() }
      groups.set(resourceKey, group)
    }
    const scopeKey = keyOf(span.scope)
    const scope = group.scopes.get(scopeKey)
    if (scope === undefined) group.scopes.set(scopeKey, { scope: span.scope, spans: [span] })
    else scope.spans.push(span)
  }
  return [...groups.values()].map(({ resource, scopes }) => ({ resource, scopes: [...scopes.values()] }))
}

function rememberKeys(): (origin: Resource | Scope) => string {
  const keys = new Map<Resource | Scope, string>()
  return (origin) => {
    let key = keys.get(origin)
    if (key === undefined) {
      key = JSON.stringify(origin)
      keys.set(origin, key)
    }
    return key
  }
}
