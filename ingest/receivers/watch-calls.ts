import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'
import type { MessageReason } from '../create-refusals.ts'
import { authorizeCall } from './authorize-call.ts'
import { signalOfMethod } from './grpc-services.ts'
import { type ReceiverOptions, statusOf } from './receiver.ts'
import { statusWithDetails } from './status-with-details.ts'

/** Why a call was ended before a handler had its message. A deadline that passed, say, is no refusal. */
const REASONS: ReadonlyMap<number, MessageReason> = new Map([
  [status.UNAUTHENTICATED, 'unauthenticated'],
  [status.PERMISSION_DENIED, 'permission_denied'],
  [status.RESOURCE_EXHAUSTED, 'too_large'],
  [status.UNIMPLEMENTED, 'unsupported'],
  [status.INTERNAL, 'malformed'],
])

/**
 * Stands before the handlers: looks at the token when the head of a call has come, so that nobody unknown gets to send a body, and counts what ends
 * before a handler has its message: by this, or by the library, which refuses by itself what is too large or cannot be decompressed.
 */
export function watchCalls(options: ReceiverOptions): ServerInterceptor {
  const { access, metrics, refusals, clock } = options
  return (method, call) => {
    const signal = signalOfMethod(method.path)
    if (signal === undefined) return new ServerInterceptingCall(call)
    const startedAt = clock.monotonic()
    let messages = 0
    let isOver = false
    // The library ends a call that it refuses through this very method, and tells no interceptor.
    const sendStatus = call.sendStatus.bind(call)
    call.sendStatus = (ending) => {
      if (!isOver) {
        isOver = true
        const code = ending.code ?? status.UNKNOWN
        metrics.observe('grpc', signal, code, clock.monotonic() - startedAt)
        const reason = REASONS.get(code)
        if (reason !== undefined) refusals.count(signal, reason, 1)
      }
      sendStatus(ending)
    }
    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, proceed) {
            try {
              if (access.isEnforced) authorizeCall(access, metadata)
            } catch (error) {
              call.sendStatus(statusWithDetails(statusOf(error)))
              return
            }
            proceed(metadata)
          },
          onReceiveMessage(message, proceed) {
            messages += 1
            proceed(message)
          },
          onReceiveHalfClose(proceed) {
            // From here on the handler counts; it is not called when there is no message, or more than one.
            isOver ||= messages === 1
            proceed()
          },
        })
      },
    })
  }
}
