/** What a bearer token may do: send telemetry, ask, change (silences, retention). */
export type AccessScope = 'ingest' | 'read' | 'write'

/** The headers that access control looks at, lower-case names. */
export interface AccessHeaders {
  readonly authorization?: string | undefined
  readonly 'x-scope-orgid'?: string | undefined
}

/** Decides who may do what, for which tenant. */
export interface AccessControl {
  /** False when no tokens are configured: every request is tenant `default` and may do everything. */
  readonly isEnforced: boolean
  /**
   * Returns the tenant the request is for.
   * Throws AppError UNAUTHENTICATED (no or unknown token) or PERMISSION_DENIED (scope or tenant not allowed).
   */
  authorize(headers: AccessHeaders, scope: AccessScope): { readonly tenant: string }
}

/** The tenant of everything when no tokens are configured. */
export const DEFAULT_TENANT = 'default'
