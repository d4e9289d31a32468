import { decideFault } from '../resilience/fault-injection.ts'
import { pause } from './pause.ts'
import type { RequestContext } from './request-context.ts'
import { replyInterrupted, sendLocalReply } from './respond.ts'
import type { StageVerdict } from './stage.ts'

/** Delays and aborts on purpose, as the route says: first the delay, then the abort. */
export async function injectFault(context: RequestContext): Promise<StageVerdict> {
  const { record, forward, proxy } = context
  if (forward === null || forward.route.fault === null) return 'continue'
  const { delayMs, abort } = decideFault(forward.route.fault, proxy.random)
  if (delayMs > 0) {
    record.flags.add('DI')
    record.faultDelayMs = delayMs
    await pause(context, delayMs)
    if (context.interruption !== null) {
      replyInterrupted(context)
      return 'done'
    }
  }
  if (abort === null) return 'continue'
  const grpc = abort.grpcStatus === null ? [] : ['grpc-status', String(abort.grpcStatus)]
  sendLocalReply(context, {
    status: abort.grpcStatus === null ? abort.status : 200,
    body: 'fault filter abort',
    flag: 'FI',
    details: 'fault_filter_abort',
    headers: grpc,
  })
  return 'done'
}
