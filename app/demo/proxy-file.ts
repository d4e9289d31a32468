import { stringify } from 'yaml'

/** Where a host's endpoints are. */
export interface HostEndpoints {
  /** Short name in the namespace `demo`. */
  readonly host: string
  /** `127.0.0.1:port`. */
  readonly addresses: readonly string[]
}

/** One proxy of the demo. */
export interface DemoProxy {
  /** The service it stands beside. */
  readonly service: string
  /** Addresses of the service's own endpoints: a listener is opened before each. */
  readonly upstreams: readonly string[]
  /** Port of the first inbound listener; 0: any free one. */
  readonly inboundPort: number
  /** What the service calls; none: no outbound listener. */
  readonly calls: HostEndpoints | null
  /** Where telemetry goes: `http://127.0.0.1:4318`. */
  readonly otlpEndpoint: string
}

/** The namespace of the demo's services. */
export const NAMESPACE = 'demo'
/** The port that services are known by. */
export const SERVICE_PORT = 8080

/** The documents of a proxy: itself, and the endpoints behind its outbound listener. */
export function proxyFile(proxy: DemoProxy): string {
  const { service, upstreams, inboundPort, calls } = proxy
  const inbound = upstreams.map((upstream, index) => ({
    role: 'inbound',
    address: `127.0.0.1:${index === 0 ? inboundPort : 0}`,
    upstream,
  }))
  const self = {
    kind: 'Proxy',
    name: service,
    namespace: NAMESPACE,
    workload: service,
    listeners: [...inbound, ...(calls === null ? [] : [{ role: 'outbound', address: '127.0.0.1:0' }])],
    admin: { address: '127.0.0.1:0' },
    otlp: { endpoint: proxy.otlpEndpoint, metricsInterval: '1s' },
  }
  if (calls === null) return stringify(self)
  const endpoints = calls.addresses.map((address) => ({ address }))
  const clusters = [{ host: calls.host, port: SERVICE_PORT, endpoints }]
  return `${stringify(self)}---\n${stringify({ clusters })}`
}
