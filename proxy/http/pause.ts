import type { RequestContext } from './request-context.ts'

/** Waits, at most until the request is interrupted. */
export function pause(context: RequestContext, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      context.onInterrupt = null
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    context.onInterrupt = end
  })
}
