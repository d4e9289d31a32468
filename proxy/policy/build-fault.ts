import { GRPC_STATUS_NAMES } from '../../model/grpc-status.ts'
import type { DocumentPath } from './policy-document.ts'
import type { PolicyReport } from './policy-report.ts'
import type { FaultPolicy } from './proxy-policy.ts'
import type { PolicyMode } from './validate-document.ts'
import type { HttpRoute } from './virtual-service-schema.ts'

type Fault = NonNullable<HttpRoute['fault']>

/** Builds `fault` of a route; null: none, or none that could ever happen, which is reported. */
export function buildFault(
  fault: Fault | undefined,
  path: DocumentPath,
  context: { readonly report: PolicyReport; readonly mode: PolicyMode },
): FaultPolicy | null {
  if (fault === undefined) return null
  const delay = buildDelay(fault.delay, [...path, 'delay'], context.report)
  const abort = buildAbort(fault.abort, [...path, 'abort'], context.report, context.mode)
  return delay === null && abort === null ? null : { delay, abort }
}

function buildDelay(delay: Fault['delay'], path: DocumentPath, report: PolicyReport): FaultPolicy['delay'] {
  if (delay === undefined) return null
  if (delay.fixedDelay === undefined) {
    report.fail('FIELD_INVALID', path, 'expected fixedDelay')
    return null
  }
  if (delay.percentage === undefined && delay.percent !== undefined) {
    const message = 'percent is deprecated and holds whole numbers only: use percentage.value'
    report.warn('FIELD_DEPRECATED', [...path, 'percent'], message)
  }
  const percent = delay.percentage?.value ?? delay.percent
  if (percent === undefined)
    report.warn('FAULT_NEVER', path, 'percentage is not given: no request is delayed')
  return percent === undefined ? null : { percent, delayMs: delay.fixedDelay }
}

function buildAbort(
  abort: Fault['abort'],
  path: DocumentPath,
  report: PolicyReport,
  mode: PolicyMode,
): FaultPolicy['abort'] {
  if (abort === undefined) return null
  const { httpStatus, grpcStatus } = abort
  const grpc = grpcStatus === undefined ? null : GRPC_STATUS_NAMES.indexOf(grpcStatus.toUpperCase())
  if ((httpStatus === undefined) === (grpc === null)) {
    report.fail('FIELD_INVALID', path, 'expected one of httpStatus and grpcStatus')
    return null
  }
  if (grpc === -1) {
    report.fail(
      'FIELD_INVALID',
      [...path, 'grpcStatus'],
      `"${grpcStatus}" is no gRPC status, such as UNAVAILABLE`,
    )
    return null
  }
  const percent = abort.percentage?.value ?? removedPercent(abort.percent, path, report, mode)
  if (percent === null) {
    if (abort.percent === undefined) {
      report.warn('FAULT_NEVER', path, 'percentage is not given: no request is aborted')
    }
    return null
  }
  return { percent, status: httpStatus ?? 200, grpcStatus: grpc }
}

function removedPercent(
  percent: number | undefined,
  path: DocumentPath,
  report: PolicyReport,
  mode: PolicyMode,
): number | null {
  if (percent === undefined) return null
  const place = [...path, 'percent']
  const removed = 'Istio removed abort.percent, and without percentage it aborts no request'
  if (mode === 'strict') {
    report.fail('MESH006', place, `${removed}: use percentage.value`)
    return null
  }
  report.warn('MESH006', place, `${removed}; taken here as percentage.value: ${percent}`)
  return percent
}
