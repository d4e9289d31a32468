import { Metadata } from '@grpc/grpc-js'
import { type OtlpStatus, statusMessage } from './otlp-response.ts'

/** How a gRPC call ends that was refused. */
export interface RefusedCall {
  readonly code: number
  readonly details: string
  readonly metadata: Metadata
}

/** A refusal as gRPC carries it: the status, and the whole of it in `grpc-status-details-bin`. */
export function statusWithDetails(status: OtlpStatus): RefusedCall {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', statusMessage(status))
  return { code: status.code, details: status.message, metadata }
}
