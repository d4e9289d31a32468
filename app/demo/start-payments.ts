import { createServer } from 'node:http'
import { type LocalServer, listenLocally } from './listen-locally.ts'

/** How an endpoint of payments answers. */
export interface PaymentsBehaviour {
  readonly delayMs: number
  /** Share of requests that fail, 0 to 1. */
  readonly failureShare: number
  /** The status of those that fail. */
  readonly failureStatus: number
}

/** What it does when all is well. */
export const HEALTHY: PaymentsBehaviour = { delayMs: 5, failureShare: 0, failureStatus: 500 }

/** One endpoint of payments. */
export interface PaymentsEndpoint extends LocalServer {
  /** Changes how requests are answered from now on. */
  behave(behaviour: PaymentsBehaviour): void
}

/** Starts one endpoint, healthy. `random` gives numbers in [0, 1). */
export async function startPayments(random: () => number): Promise<PaymentsEndpoint> {
  let behaviour = HEALTHY
  const server = createServer((request, response) => {
    request.resume()
    const { delayMs, failureShare, failureStatus } = behaviour
    const isFailing = random() < failureShare
    setTimeout(() => {
      response.writeHead(isFailing ? failureStatus : 200, { 'content-type': 'text/plain' })
      response.end(isFailing ? 'the bank does not answer\n' : 'paid\n')
    }, delayMs)
  })
  return {
    ...(await listenLocally(server, 'payments', 0)),
    behave: (next) => {
      behaviour = next
    },
  }
}
