/** Who stands at one end of a request, as Istio's labels name it; '' where not known. */
export interface PeerIdentity {
  readonly service: string
  readonly namespace: string
  readonly workload: string
  readonly app: string
  readonly version: string
}

/** Header by which our proxies tell each other who they are, on requests and responses. Never handed to an application. */
export const PEER_HEADER = 'x-mesh-peer'

/** A peer of whom nothing is known. */
export const UNKNOWN_PEER: PeerIdentity = { service: '', namespace: '', workload: '', app: '', version: '' }

const MAX_HEADER_LENGTH = 512
const MAX_REMEMBERED = 1000

/** The header's value. */
export function formatPeer(peer: PeerIdentity): string {
  return new URLSearchParams({ ...peer }).toString()
}

/** Makes a reader of header values; what is absent or too long is nobody. Equal values give the same object. */
export function createPeerReader(): (value: string | undefined) => PeerIdentity {
  const remembered = new Map<string, PeerIdentity>()
  return (value) => {
    if (value === undefined || value.length > MAX_HEADER_LENGTH) return UNKNOWN_PEER
    const known = remembered.get(value)
    if (known !== undefined) return known
    const fields = new URLSearchParams(value)
    const field = (name: string) => fields.get(name) ?? ''
    const peer = {
      service: field('service'),
      namespace: field('namespace'),
      workload: field('workload'),
      app: field('app'),
      version: field('version'),
    }
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(value, peer)
    return peer
  }
}
