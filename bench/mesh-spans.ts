/** A span as a mesh proxy reports it, with placeholders where every message differs. */
export interface MeshSpan {
  readonly name: string
  /** OTLP's number: 2 server, 3 client. */
  readonly kind: 2 | 3
  readonly isFailed: boolean
  readonly attributes: readonly (readonly [key: string, value: string])[]
}

/** What one proxy sends. */
export interface MeshExport {
  readonly resource: readonly (readonly [key: string, value: string])[]
  /** Server and client span of the same request by turns. */
  readonly spans: readonly MeshSpan[]
}

/** Stands for the request id. */
export const REQUEST_ID = 'REQUEST-ID-REQUE'
/** Stand for the request's and the response's size. */
export const REQUEST_SIZE = 'RQSZ'
export const RESPONSE_SIZE = 'RSSZE'

/** The services that spans are of. */
export const SERVICES: readonly string[] = Array.from(
  { length: 30 },
  (_, index) => `service-${String(index).padStart(2, '0')}`,
)

/** Names of server spans. */
export const OPERATIONS: readonly string[] = [
  'GET /cart',
  'POST /cart/items',
  'GET /products/{id}',
  'POST /checkout',
  'GET /users/{id}',
]

const FLAGS = ['UO', 'UF', 'UT', 'URX']

/**
 * What the sidecar of one pod sends in one export: `spans` spans of ten attributes each, one in a hundred failed, one call
 * in fifty a retry. `seed` chooses service, pod and what fails.
 */
export function meshExport(spans: number, seed: number): MeshExport {
  const random = mulberry32(seed)
  const service = SERVICES[seed % SERVICES.length] ?? ''
  const zone = `eu-1${'abc'[seed % 3]}`
  const list: MeshSpan[] = []
  for (let pair = 0; list.length < spans; pair++) {
    const operation = OPERATIONS[pair % OPERATIONS.length] ?? ''
    const callee = SERVICES[(seed + 1 + (pair % 4)) % SERVICES.length] ?? ''
    const isFailed = random() < 0.01
    const isRetry = random() < 0.02
    const flags = isFailed ? (FLAGS[Math.floor(random() * FLAGS.length)] ?? '') : '-'
    const both = (cluster: string, address: string): [string, string][] => [
      ['component', 'proxy'],
      ['http.method', operation.slice(0, operation.indexOf(' '))],
      ['http.status_code', isFailed ? '503' : '200'],
      ['guid:x-request-id', REQUEST_ID],
      ['response_flags', flags],
      ['upstream_cluster', cluster],
      ['peer.address', address],
      ['request_size', REQUEST_SIZE],
      ['response_size', RESPONSE_SIZE],
    ]
    list.push({
      name: operation,
      kind: 2,
      isFailed,
      attributes: [...both('inbound|8080||', `10.1.${pair % 4}.${seed % 250}:8080`), ['zone', zone]],
    })
    if (list.length === spans) break
    list.push({
      name: `router ${callee}.shop egress`,
      kind: 3,
      isFailed,
      attributes: [
        ...both(
          `outbound|8080||${callee}.shop.svc.cluster.local`,
          `10.2.${pair % 3}.${(seed * 7) % 250}:8080`,
        ),
        isRetry ? ['retry.count', '1'] : ['zone', zone],
      ],
    })
  }
  return {
    resource: [
      ['service.name', service],
      ['service.namespace', 'shop'],
      ['k8s.pod.name', `${service}-${Math.floor(seed / SERVICES.length) % 3}-5d8f7c9b6`],
      ['k8s.namespace.name', 'shop'],
      ['telemetry.sdk.name', 'envoy'],
    ],
    spans: list,
  }
}

/** A small seeded generator, so that a run can be repeated. */
export function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 0x100000000
  }
}
