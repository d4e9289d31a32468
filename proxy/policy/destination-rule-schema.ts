import { z } from 'zod'
import { count, duration, metadata, port, positiveDuration, textMap, uint32 } from './policy-values.ts'
import { unsupported } from './validate-document.ts'

const HTTP2 = 'upstream connections are HTTP/1.1'

const loadBalancer = z.strictObject({
  simple: z
    .enum(['UNSPECIFIED', 'LEAST_CONN', 'LEAST_REQUEST', 'ROUND_ROBIN', 'RANDOM', 'PASSTHROUGH'])
    .optional(),
  consistentHash: unsupported('the balancer takes least request instead'),
  localityLbSetting: unsupported('endpoints have no locality here'),
  zoneAwareLbSetting: unsupported('endpoints have no locality here'),
  warmupDurationSecs: unsupported('a new endpoint gets its full share at once'),
  warmup: unsupported('a new endpoint gets its full share at once'),
})

const connectionPool = z.strictObject({
  tcp: z
    .strictObject({
      maxConnections: count.optional(),
      connectTimeout: positiveDuration.optional(),
      tcpKeepalive: z
        .strictObject({ probes: uint32.optional(), time: duration.optional(), interval: duration.optional() })
        .optional(),
      maxConnectionDuration: positiveDuration.optional(),
      idleTimeout: duration.optional(),
    })
    .optional(),
  http: z
    .strictObject({
      http1MaxPendingRequests: count.optional(),
      http2MaxRequests: count.optional(),
      maxRequestsPerConnection: count.optional(),
      maxRetries: count.optional(),
      idleTimeout: duration.optional(),
      maxConcurrentStreams: unsupported(HTTP2),
      h2UpgradePolicy: unsupported(HTTP2),
      useClientProtocol: unsupported(HTTP2),
      http2KeepAlive: unsupported(HTTP2),
    })
    .optional(),
})

const percent = z.int().min(0).max(100)

const outlierDetection = z.strictObject({
  consecutive5xxErrors: uint32.optional(),
  consecutiveGatewayErrors: uint32.optional(),
  splitExternalLocalOriginErrors: z.boolean().optional(),
  consecutiveLocalOriginFailures: uint32.optional(),
  interval: positiveDuration.optional(),
  baseEjectionTime: positiveDuration.optional(),
  maxEjectionPercent: percent.optional(),
  minHealthPercent: percent.optional(),
  consecutiveErrors: unsupported('Istio removed it; use consecutive5xxErrors or consecutiveGatewayErrors'),
  outlierDetectionHttpErrorCodes: unsupported('5xx count, and 502, 503, 504 as gateway errors'),
})

const tls = z.strictObject({
  mode: z.enum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']).optional(),
  clientCertificate: z.string().optional(),
  privateKey: z.string().optional(),
  caCertificates: z.string().optional(),
  caCrl: unsupported('revocation lists are not read'),
  credentialName: unsupported('there are no Kubernetes secrets here; name files'),
  subjectAltNames: z.array(z.string()).optional(),
  sni: z.string().optional(),
  insecureSkipVerify: z.boolean().optional(),
})

const portLevelSettings = z.strictObject({
  port: z.strictObject({ number: port }),
  loadBalancer: loadBalancer.optional(),
  connectionPool: connectionPool.optional(),
  outlierDetection: outlierDetection.optional(),
  tls: tls.optional(),
})

// No field of Istio's: articles print it, in the words of Envoy's RetryPolicy.
const retryPolicy = z.strictObject({
  retryOn: z.string(),
  numRetries: count.optional(),
  perTryTimeout: positiveDuration.optional(),
  retryBackOff: z
    .strictObject({ baseInterval: positiveDuration, maxInterval: positiveDuration.optional() })
    .optional(),
})

const trafficPolicy = z.strictObject({
  loadBalancer: loadBalancer.optional(),
  connectionPool: connectionPool.optional(),
  outlierDetection: outlierDetection.optional(),
  tls: tls.optional(),
  portLevelSettings: z.array(portLevelSettings).optional(),
  retryBudget: z
    .strictObject({
      percent: z.number().min(0).max(100).optional(),
      minRetryConcurrency: uint32.optional(),
      budgetInterval: duration.optional(),
    })
    .optional(),
  retryPolicy: retryPolicy.optional(),
  tunnel: unsupported('connections go to the endpoint directly'),
  proxyProtocol: unsupported('connections start with the request'),
})

/** A DestinationRule as Istio's API has it (v1alpha3, v1beta1, v1 are the same), and the `retryPolicy` that articles print. */
export const destinationRuleSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('DestinationRule'),
  metadata,
  status: z.unknown().optional(),
  spec: z.strictObject({
    host: z.string().min(1),
    trafficPolicy: trafficPolicy.optional(),
    subsets: z
      .array(
        z.strictObject({
          name: z.string().min(1),
          labels: textMap.optional(),
          trafficPolicy: trafficPolicy.optional(),
        }),
      )
      .optional(),
    exportTo: z.array(z.string()).optional(),
    workloadSelector: z.strictObject({ matchLabels: textMap.optional() }).optional(),
  }),
})

/** A DestinationRule, valid. */
export type DestinationRule = z.output<typeof destinationRuleSchema>
/** `spec.trafficPolicy`. */
export type TrafficPolicy = NonNullable<DestinationRule['spec']['trafficPolicy']>
/** `spec.subsets[]`. */
export type DestinationSubset = NonNullable<DestinationRule['spec']['subsets']>[number]
/** `trafficPolicy.retryPolicy`, the dialect. */
export type DialectRetryPolicy = z.output<typeof retryPolicy>
