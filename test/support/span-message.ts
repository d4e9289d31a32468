import { encodeRequest, type OtlpJson } from './otlp-messages.ts'

/** A request of mesh spans that can be sent again and again as other spans. */
export interface SpanMessage {
  /** `ExportTraceServiceRequest` in protobuf. */
  readonly bytes: Buffer
  /**
   * Makes it the message number `serial`, its spans starting at `nowMs` (epoch milliseconds). A span's id is then the
   * serial number (4 bytes) and 1 to `spans` (4 bytes); eight spans share a trace.
   */
  renew(serial: number, nowMs: number): void
}

/** Makes a request of server and client spans of one proxy, about 370 bytes each. */
export function createSpanMessage(spans: number, service: string): SpanMessage {
  const list = Array.from({ length: spans }, (_, index) => span(index))
  const resource = {
    attributes: [attribute('service.name', service), attribute('k8s.namespace.name', 'shop')],
  }
  const scopeSpans = [{ scope: { name: 'envoy', version: '1.34.0' }, spans: list }]
  const bytes = Buffer.from(encodeRequest('traces', { resourceSpans: [{ resource, scopeSpans }] }))
  let at = 0
  const find = (value: Buffer): number => {
    at = bytes.indexOf(value, at) + value.length
    return at - value.length
  }
  const places = list.map((_, index) => {
    const trace = find(traceId(index))
    const id = find(spanId(index))
    const start = find(nanos(START_NANOS))
    return { trace, id, start, end: find(nanos(START_NANOS + duration(index))) }
  })
  return {
    bytes,
    renew: (serial, nowMs) => {
      const now = BigInt(Math.floor(nowMs)) * 1_000_000n
      for (const [index, { trace, id, start, end }] of places.entries()) {
        bytes.writeUInt32BE(serial, trace)
        bytes.writeUInt32BE(serial, id)
        bytes.writeBigUInt64LE(now, start)
        bytes.writeBigUInt64LE(now + duration(index), end)
      }
    },
  }
}

const START_NANOS = 0x6b5a_4938_2716_0504n

function span(index: number): OtlpJson {
  const isServer = index % 2 === 0
  const isFailed = index % 17 === 0
  return {
    traceId: traceId(index).toString('hex'),
    spanId: spanId(index).toString('hex'),
    name: isServer ? `GET /operation-${index % 5}` : 'router payment.shop egress',
    kind: isServer ? 2 : 3,
    startTimeUnixNano: String(START_NANOS),
    endTimeUnixNano: String(START_NANOS + duration(index)),
    attributes: [
      attribute('component', 'proxy'),
      attribute('http.method', 'GET'),
      attribute('http.status_code', isFailed ? '503' : '200'),
      attribute('guid:x-request-id', `0f6e-${index}-4c1d-8a3b`),
      attribute('response_flags', isFailed ? 'UF' : '-'),
      attribute('upstream_cluster', `outbound|8080||payment-${index % 3}.shop.svc.cluster.local`),
      attribute('peer.address', `10.1.0.${index % 4}:8080`),
      attribute('request_size', String(index * 7)),
    ],
    ...(isFailed ? { status: { code: 2 } } : {}),
  }
}

function attribute(key: string, value: string): OtlpJson {
  return { key, value: { stringValue: value } }
}

function duration(index: number): bigint {
  return BigInt(200_000 + index * 1_234_567)
}

function traceId(index: number): Buffer {
  const id = Buffer.alloc(16, 0xe7)
  id.writeUInt32BE(index >>> 3, 12)
  return id
}

function spanId(index: number): Buffer {
  const id = Buffer.alloc(8, 0xd5)
  id.writeUInt32BE(index + 1, 4)
  return id
}

function nanos(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
