import type { Interner } from '../native/interner.ts'

/**
 * The attribute keys that feed columns, in the order of their interner numbers (the first is 1): Envoy's tags, Istio's,
 * the OpenTelemetry HTTP and RPC conventions of today and the older ones. `docs/mesh-columns.md` has the table for users.
 */
export const KNOWN_KEYS = [
  'http.response.status_code',
  'http.status_code',
  'http.request.method',
  'http.method',
  'rpc.response.status_code',
  'rpc.grpc.status_code',
  'grpc.status_code',
  'response_flags',
  'http.request.resend_count',
  'http.resend_count',
  'retry.count',
  'upstream_cluster',
  'upstream_cluster.name',
  'upstream_address',
  'network.peer.address',
  'network.peer.port',
  'net.sock.peer.addr',
  'net.sock.peer.port',
  'net.peer.ip',
  'net.peer.port',
  'peer.address',
  'peer.service',
  'service.peer.name',
  'istio.destination_canonical_service',
  'istio.destination_namespace',
  'server.address',
  'net.peer.name',
  'http.host',
  'url.full',
  'http.url',
  'messaging.destination.name',
  'messaging.system',
  'db.system.name',
  'db.system',
  'error',
] as const

/** A key of {@link KNOWN_KEYS}. */
export type KnownKey = (typeof KNOWN_KEYS)[number]

const NUMBERS = new Map<KnownKey, number>(KNOWN_KEYS.map((key, index) => [key, index + 1]))

/** The interner number a known key has after {@link internKnownKeys}. */
export function knownKeyId(key: KnownKey): number {
  return NUMBERS.get(key) ?? 0
}

/** Gives the known keys their numbers: call on an interner that holds nothing yet. Throws RangeError otherwise. */
export function internKnownKeys(interner: Interner): void {
  for (const key of KNOWN_KEYS) {
    const id = interner.internText(key)
    if (id !== knownKeyId(key)) throw new RangeError(`Cannot number the key ${key}: the interner is in use`)
  }
}
