import type { Clock } from '../../runtime/clock.ts'
import type { ProxyPolicy } from '../policy/proxy-policy.ts'
import type { MeshMetrics } from '../telemetry/mesh-metrics.ts'
import type { PeerIdentity } from '../telemetry/peer-identity.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'
import type { ClusterRuntime } from './cluster-runtime.ts'

/** What all requests of a proxy share. */
export interface ProxyRuntime {
  readonly clock: Clock
  /** Gives numbers in `[0, 1)`. */
  readonly random: () => number
  readonly newRequestId: () => string
  /** The policy in force; a reload replaces it between two requests. */
  policy(): ProxyPolicy
  /** The running cluster of that name; null: the policy has none. */
  cluster(name: string): ClusterRuntime | null
  readonly settings: {
    readonly sampling: number
  }
  /** {@link PEER_HEADER} of this proxy. */
  readonly peerHeader: string
  readonly readPeer: (value: string | undefined) => PeerIdentity
  readonly meshMetrics: MeshMetrics
  /** Takes the record of a request that is over. */
  readonly finished: (record: RequestRecord) => void
}
