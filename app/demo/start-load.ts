import { createServiceCaller } from './call-service.ts'

/** Load under way. */
export interface Load {
  /** Requests answered since the last call of this function, and how many of them not with 200. */
  takeCounts(): { readonly answered: number; readonly failed: number }
  stop(): void
}

const MAX_OPEN = 500

/**
 * Sends requests at an even rate whether or not the earlier ones were answered, as users do. Beyond 500 open ones, it waits.
 * `address`: `host:port` of the shop's proxy.
 */
export function startLoad(options: { readonly address: string; readonly requestsPerSecond: number }): Load {
  const caller = createServiceCaller()
  let open = 0
  let answered = 0
  let failed = 0
  const send = () => {
    if (open >= MAX_OPEN) return
    open++
    const { address } = options
    void caller
      .call({ proxy: address, service: 'shop:8080', method: 'GET', path: '/checkout', headers: {} })
      .then((status) => {
        open--
        answered++
        if (status !== 200) failed++
      })
  }
  const timer = setInterval(send, 1000 / options.requestsPerSecond)
  return {
    takeCounts: () => {
      const counts = { answered, failed }
      answered = 0
      failed = 0
      return counts
    },
    stop: () => {
      clearInterval(timer)
      caller.close()
    },
  }
}
