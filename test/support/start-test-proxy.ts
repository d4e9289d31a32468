import { request as httpRequest } from 'node:http'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { readProxySources } from '../../proxy/load-proxy-files.ts'
import { type RunningProxy, runProxy } from '../../proxy/run-proxy.ts'
import { systemClock } from '../../runtime/clock.ts'
import { silentLogger } from '../../runtime/logger.ts'

/** What a test says of its proxy. */
export interface TestProxyOptions {
  /** Addresses behind `payments.shop.svc.cluster.local:8080`. */
  readonly endpoints: readonly string[]
  /** Parts of the route of `payments`, YAML flow style: `timeout: 1s, retries: {attempts: 2}`. */
  readonly route?: string
  /** The `trafficPolicy` of `payments`, YAML flow style without braces. */
  readonly traffic?: string
  /** Further documents. */
  readonly documents?: string
  /** Upstream of an inbound listener; none without. */
  readonly inbound?: string
  /** Base URL for telemetry; none without. */
  readonly otlp?: string
  readonly random?: () => number
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A proxy in this process, and a way to call through it. */
export interface TestProxy extends RunningProxy {
  readonly outbound: string
  readonly inboundAddress: string
  /** Calls `payments` through the outbound listener. */
  ask(options?: AskOptions): Promise<Answer>
  /** Reads a series of `/stats/prometheus`: the sum over those whose labels hold the text. */
  stat(name: string, labels?: string): Promise<number>
  /** A request to the admin port. */
  admin(path: string, method?: string): Promise<Answer>
}

/** One request. */
export interface AskOptions {
  readonly to?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | Readable
  readonly host?: string
  readonly signal?: AbortSignal
}

/** The name by which the endpoints are known. */
export const PAYMENTS = 'outbound|8080||payments.shop.svc.cluster.local'

/** The files of a proxy for `cart` in namespace `shop`. */
export function proxyText(options: TestProxyOptions): string {
  const inbound =
    options.inbound === undefined
      ? ''
      : `\n  - {role: inbound, address: '127.0.0.1:0', upstream: '${options.inbound}'}`
  const endpoints = options.endpoints.map(
    (address, index) => `\n      - {address: '${address}', labels: {app: payments, version: v${index + 1}}}`,
  )
  return `kind: Proxy
name: cart
namespace: shop
labels: {app: cart, version: v1}
listeners:
  - {role: outbound, address: '127.0.0.1:0'}${inbound}
admin: {address: '127.0.0.1:0'}
otlp: {${options.otlp === undefined ? '' : `endpoint: '${options.otlp}', `}metricsInterval: 1s}
drain: 2s
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: payments, namespace: shop}
spec:
  hosts: [payments]
  http:
    - {${options.route ?? 'retries: {attempts: 0}'}${options.route?.includes('route:') ? '' : ', route: [{destination: {host: payments}}]'}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: payments, namespace: shop}
spec: {host: payments, trafficPolicy: {${options.traffic ?? 'loadBalancer: {simple: ROUND_ROBIN}'}}}
---
${options.documents === undefined ? '' : `${options.documents}\n---\n`}clusters:
  - host: payments.shop.svc.cluster.local
    port: 8080
    endpoints: ${endpoints.length === 0 ? '[]' : endpoints.join('')}
`
}

/** Starts a proxy on free ports. */
export async function startTestProxy(options: TestProxyOptions): Promise<TestProxy> {
  const files = readProxySources([{ file: 'proxy.yaml', text: proxyText(options) }])
  const proxy = await runProxy({
    files,
    clock: systemClock,
    logger: silentLogger(),
    version: 'test',
    ...(options.random === undefined ? {} : { random: options.random }),
  })
  const addressOf = (role: string) => proxy.listeners.find((one) => one.role === role)?.address ?? ''
  const outbound = addressOf('outbound')
  const adminAddress = proxy.adminAddress ?? ''
  const admin = (path: string, method = 'GET') => ask({ to: adminAddress, path, method, host: adminAddress })
  return {
    ...proxy,
    outbound,
    inboundAddress: addressOf('inbound'),
    ask: (asked = {}) => ask({ to: outbound, ...asked }),
    admin,
    async stat(name, labels = '') {
      const { body } = await admin('/stats/prometheus')
      return body
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
  }
}

function ask(options: AskOptions): Promise<Answer> {
  const [host = '', port = ''] = (options.to ?? '').split(':')
  return new Promise((resolve, reject) => {
    const { body } = options
    const request = httpRequest(
      {
        host,
        port,
        agent: false,
        method: options.method ?? 'GET',
        path: options.path ?? '/',
        headers: { host: options.host ?? 'payments:8080', ...options.headers },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (response) => {
        text(response).then(
          (read) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: read }),
          reject,
        )
      },
    )
    request.on('error', reject)
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body)
    else body.pipe(request)
  })
}
