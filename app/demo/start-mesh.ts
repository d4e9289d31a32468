import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalServer } from './listen-locally.ts'
import { type DemoProxy, proxyFile, SERVICE_PORT } from './proxy-file.ts'
import { type PaymentsEndpoint, startPayments } from './start-payments.ts'
import { startRelay } from './start-relay.ts'

/** A proxy that listens. */
export interface RunningProxy {
  /** `host:port` of the inbound listeners, in the order of the file. */
  readonly inbound: readonly string[]
  /** `host:port`; '' when there is no outbound listener. */
  readonly outbound: string
  stop(): Promise<void>
}

/** Runs a proxy from configuration files; `name` is for messages. */
export type RunProxy = (name: string, files: readonly string[]) => Promise<RunningProxy>

/** The mesh of the demo: shop → cart → payments, each behind a proxy. */
export interface DemoMesh {
  /** `host:port` where requests of users come in: the shop's proxy. */
  readonly entrance: string
  readonly payments: readonly PaymentsEndpoint[]
  /** By which their callers know the endpoints of payments: `host:port` of the listeners before them, in the same order. */
  readonly paymentsAddresses: readonly string[]
  close(): Promise<void>
}

/** What the mesh is made from. */
export interface MeshOptions {
  /** Where the proxies' files are written. */
  readonly folder: string
  readonly otlpEndpoint: string
  /** Of the shop's proxy; 0: any free one. */
  readonly shopPort: number
  readonly runProxy: RunProxy
  /** How calls to payments are treated; default: the demo's own policy. */
  readonly policyFile?: string
  /** Numbers in [0, 1). */
  readonly random: () => number
}

const POLICY_FILE = join(import.meta.dirname, 'policy.yaml')

/** Starts services and proxies, each before those that call it. What was started is stopped again when a later part fails. */
export async function startMesh(options: MeshOptions): Promise<DemoMesh> {
  const parts: (() => Promise<void>)[] = []
  const close = async () => {
    for (let stop = parts.pop(); stop !== undefined; stop = parts.pop()) await stop()
  }
  const service = async <T extends LocalServer>(starting: Promise<T>): Promise<T> => {
    const started = await starting
    parts.push(() => started.close())
    return started
  }
  const proxy = async (given: Omit<DemoProxy, 'otlpEndpoint'>): Promise<RunningProxy> => {
    const file = join(options.folder, `proxy-${given.service}.yaml`)
    writeFileSync(file, proxyFile({ ...given, otlpEndpoint: options.otlpEndpoint }))
    const files = given.calls?.host === 'payments' ? [file, options.policyFile ?? POLICY_FILE] : [file]
    const started = await options.runProxy(given.service, files)
    parts.push(() => started.stop())
    return started
  }

  try {
    const payments: PaymentsEndpoint[] = []
    for (let index = 0; index < 3; index++) payments.push(await service(startPayments(options.random)))
    const paymentsProxy = await proxy({
      service: 'payments',
      upstreams: payments.map(({ address }) => address),
      inboundPort: 0,
      calls: null,
    })

    let cartOutbound = ''
    const cart = await service(
      startRelay({
        name: 'cart',
        next: `payments:${SERVICE_PORT}`,
        method: 'PUT',
        path: '/payments/order',
        proxy: () => cartOutbound,
      }),
    )
    const cartProxy = await proxy({
      service: 'cart',
      upstreams: [cart.address],
      inboundPort: 0,
      calls: { host: 'payments', addresses: paymentsProxy.inbound },
    })
    cartOutbound = cartProxy.outbound

    let shopOutbound = ''
    const shop = await service(
      startRelay({
        name: 'shop',
        next: `cart:${SERVICE_PORT}`,
        method: 'PUT',
        path: '/cart/order',
        proxy: () => shopOutbound,
      }),
    )
    const shopProxy = await proxy({
      service: 'shop',
      upstreams: [shop.address],
      inboundPort: options.shopPort,
      calls: { host: 'cart', addresses: cartProxy.inbound },
    })
    shopOutbound = shopProxy.outbound
    return {
      entrance: shopProxy.inbound[0] ?? '',
      payments,
      paymentsAddresses: paymentsProxy.inbound,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
