import type { Metadata } from '@grpc/grpc-js'
import type { AccessControl } from '../../runtime/access-control.ts'

/** The tenant of a gRPC call, by its metadata. Throws AppError UNAUTHENTICATED or PERMISSION_DENIED. */
export function authorizeCall(access: AccessControl, metadata: Metadata): { readonly tenant: string } {
  return access.authorize(
    { authorization: header(metadata, 'authorization'), 'x-scope-orgid': header(metadata, 'x-scope-orgid') },
    'ingest',
  )
}

function header(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0]
  return typeof value === 'string' ? value : undefined
}
