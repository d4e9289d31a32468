import { GRPC_STATUS_NAMES } from '../../model/grpc-status.ts'
import type { Interner } from '../native/interner.ts'
import type { AttributeReader } from './attribute-reader.ts'
import { KNOWN_KEYS, type KnownKey, knownKeyId } from './known-keys.ts'
import { hostOfAuthority, hostOfUrl, serviceOfCluster, serviceOfHost } from './upstream-name.ts'
import type { WireReader } from './wire-reader.ts'

const HTTP_STATUS = ids('http.response.status_code', 'http.status_code')
const HTTP_METHOD = ids('http.request.method', 'http.method')
const GRPC_STATUS = ids('rpc.grpc.status_code', 'grpc.status_code', 'rpc.response.status_code')
const RESPONSE_FLAGS = ids('response_flags')
const RETRY = ids('http.request.resend_count', 'http.resend_count', 'retry.count')
const CLUSTER = ids('upstream_cluster', 'upstream_cluster.name')
const UPSTREAM_ADDRESS = ids('upstream_address')
const PEER_ADDRESS = ids('network.peer.address', 'net.sock.peer.addr', 'net.peer.ip')
const PEER_PORT = ids('network.peer.port', 'net.sock.peer.port', 'net.peer.port')
const ENVOY_PEER_ADDRESS = ids('peer.address')
const PEER_SERVICE = ids('peer.service', 'service.peer.name')
const ISTIO_SERVICE = ids('istio.destination_canonical_service')
const ISTIO_NAMESPACE = ids('istio.destination_namespace')
const SERVER_ADDRESS = ids('server.address', 'net.peer.name')
const AUTHORITY = ids('http.host')
const URL_FULL = ids('url.full', 'http.url')
const MESSAGING = ids('messaging.destination.name', 'messaging.system')
const DATABASE = ids('db.system.name', 'db.system')
const ERROR_TAG = ids('error')

const SPAN_KIND_CLIENT = 3
const SPAN_KIND_PRODUCER = 4
const STATUS_UNSET = 0
const STATUS_ERROR = 2

/** gRPC statuses that a server span counts as an error (OpenTelemetry's gRPC convention). */
const GRPC_SERVER_ERRORS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15])

/**
 * What a span's attributes say about the mesh, whichever convention they follow. Fields hold the last
 * {@link MeshAttributes.read}; texts as interner numbers (0: absent).
 */
export class MeshAttributes {
  httpStatus = 0
  httpMethod = 0
  /** -1: absent. */
  grpcStatus = -1
  responseFlags = 0
  retryAttempt = 0
  upstream = 0
  upstreamCluster = 0
  upstreamEndpoint = 0
  isError = false
  readonly #interner: Interner
  readonly #attributes: AttributeReader
  readonly #reader: WireReader
  /** Index of each known key's attribute in this span; -1: absent. */
  readonly #present = new Int32Array(KNOWN_KEYS.length + 1)
  /** Service by cluster and by host, as interner numbers, for one generation of the interner. */
  readonly #services = { cluster: new Map<number, number>(), host: new Map<number, number>() }
  #generation = -1
  /** The interner number of `-`. */
  #dash = -1

  constructor(interner: Interner, attributes: AttributeReader, reader: WireReader) {
    this.#interner = interner
    this.#attributes = attributes
    this.#reader = reader
  }

  /** Reads the collected attributes of a span of OTLP kind `kind` and status `status`. */
  read(kind: number, status: number): void {
    if (this.#generation !== this.#interner.generation) {
      this.#services.cluster.clear()
      this.#services.host.clear()
      this.#dash = this.#interner.internText('-')
      this.#generation = this.#interner.generation
    }
    const present = this.#present.fill(-1)
    const { count, keyIds } = this.#attributes
    for (let index = 0; index < count; index++) {
      const id = keyIds[index] as number
      if (id < present.length) present[id] = index
    }
    this.httpStatus = this.#number(HTTP_STATUS, 0, 999)
    this.httpMethod = this.#text(HTTP_METHOD)
    this.grpcStatus = this.#grpcStatus()
    this.responseFlags = this.#responseFlags()
    this.retryAttempt = this.#number(RETRY, 0, 0xffff)
    this.upstreamCluster = this.#text(CLUSTER)
    this.upstreamEndpoint = this.#text(UPSTREAM_ADDRESS)
    this.upstream = 0
    if (kind === SPAN_KIND_CLIENT || kind === SPAN_KIND_PRODUCER) {
      if (this.upstreamEndpoint === 0) this.upstreamEndpoint = this.#peerEndpoint()
      this.upstream = this.#upstreamService()
    }
    this.isError =
      status === STATUS_ERROR ||
      (status === STATUS_UNSET &&
        (this.httpStatus >= 500 || GRPC_SERVER_ERRORS.has(this.grpcStatus) || this.#isTrue(ERROR_TAG)))
  }

  #upstreamService(): number {
    const named = this.#text(PEER_SERVICE)
    if (named !== 0) return named
    const istio = this.#text(ISTIO_SERVICE)
    if (istio !== 0) {
      const namespace = this.#text(ISTIO_NAMESPACE)
      if (namespace === 0) return istio
      return this.#interner.internText(`${this.#interner.text(istio)}.${this.#interner.text(namespace)}`)
    }
    const cluster = this.upstreamCluster
    if (cluster !== 0) {
      // Passthrough: the mesh does not know whom the request went to, and the address says more.
      const service = this.#mapped(this.#services.cluster, cluster, knownServiceOfCluster)
      if (service !== 0) return service
    }
    const server = this.#text(SERVER_ADDRESS)
    if (server !== 0) return this.#mapped(this.#services.host, server, serviceOfHost)
    const authority = this.#text(AUTHORITY)
    if (authority !== 0) return this.#host(hostOfAuthority(this.#interner.text(authority)))
    const url = this.#rawText(URL_FULL)
    if (url !== '') return this.#host(hostOfUrl(url))
    const other = this.#text(MESSAGING) || this.#text(DATABASE)
    return other === 0 ? cluster : other
  }

  #host(host: string): number {
    return this.#interner.internText(serviceOfHost(host))
  }

  #mapped(cache: Map<number, number>, id: number, map: (text: string) => string): number {
    const known = cache.get(id)
    if (known !== undefined) return known
    const service = this.#interner.internText(map(this.#interner.text(id)))
    cache.set(id, service)
    return service
  }

  #peerEndpoint(): number {
    const envoy = this.#text(ENVOY_PEER_ADDRESS)
    if (envoy !== 0) return envoy
    const address = this.#text(PEER_ADDRESS)
    if (address === 0) return 0
    const port = this.#number(PEER_PORT, 0, 0xffff)
    if (port === 0) return address
    const text = this.#interner.text(address)
    return this.#interner.internText(text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`)
  }

  #responseFlags(): number {
    const id = this.#text(RESPONSE_FLAGS)
    // Envoy writes "-" for none.
    return id === this.#dash ? 0 : id
  }

  #grpcStatus(): number {
    const number = this.#number(GRPC_STATUS, -1, 0x7fff)
    if (number !== -1) return number
    const text = this.#rawText(GRPC_STATUS)
    return text === '' ? -1 : GRPC_STATUS_NAMES.indexOf(text.toUpperCase())
  }

  #isTrue(keys: Int32Array): boolean {
    const index = this.#index(keys)
    if (index < 0) return false
    const shape = this.#attributes.peek(this.#reader, index)
    return shape === 1 ? this.#rawText(keys) === 'true' : shape === 3 && this.#attributes.integer !== 0
  }

  /** The first of the keys that is there. */
  #index(keys: Int32Array): number {
    for (let at = 0; at < keys.length; at++) {
      const index = this.#present[keys[at] as number] as number
      if (index >= 0) return index
    }
    return -1
  }

  /** An integer, or a string of digits, up to `max`; else `absent`. */
  #number(keys: Int32Array, absent: number, max: number): number {
    const index = this.#index(keys)
    if (index < 0) return absent
    const attributes = this.#attributes
    const shape = attributes.peek(this.#reader, index)
    if (shape === 2) return attributes.integer <= max ? attributes.integer : absent
    if (shape !== 1) return absent
    const { bytes } = this.#reader
    const { start, end } = attributes
    if (end === start || end - start > 9) return absent
    let value = 0
    for (let at = start; at < end; at++) {
      const digit = (bytes[at] as number) - 48
      if (digit < 0 || digit > 9) return absent
      value = value * 10 + digit
    }
    return value <= max ? value : absent
  }

  /** A string's interner number; 0 when it is absent, empty or no string. */
  #text(keys: Int32Array): number {
    const index = this.#index(keys)
    if (index < 0 || this.#attributes.peek(this.#reader, index) !== 1) return 0
    return this.#interner.intern(this.#reader.bytes, this.#attributes.start, this.#attributes.end)
  }

  #rawText(keys: Int32Array): string {
    const index = this.#index(keys)
    if (index < 0 || this.#attributes.peek(this.#reader, index) !== 1) return ''
    const { buffer, byteOffset } = this.#reader.bytes
    const { start, end } = this.#attributes
    return Buffer.from(buffer, byteOffset + start, end - start).toString('utf8')
  }
}

/** `''` for the clusters of Istio that stand for no service. */
function knownServiceOfCluster(cluster: string): string {
  return /^(?:PassthroughCluster|BlackHoleCluster|InboundPassthrough)/.test(cluster)
    ? ''
    : serviceOfCluster(cluster)
}

function ids(...keys: readonly KnownKey[]): Int32Array {
  return Int32Array.from(keys, knownKeyId)
}
