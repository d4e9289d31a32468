import { z } from 'zod'
import { positiveDuration, textMap } from './policy/policy-values.ts'

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):\d{1,5}$/, 'expected HOST:PORT, an IPv6 address in []')

const listener = z.discriminatedUnion('role', [
  /** For the calls of the service that the proxy stands beside: routed by `Host`, as policies say. */
  z.strictObject({ role: z.literal('outbound'), address }),
  /** For calls to that service, which listens on `upstream`. */
  z.strictObject({ role: z.literal('inbound'), address, upstream: address }),
])

/** The document `kind: Proxy`: who the proxy is, where it listens, where its telemetry goes. */
export const proxySchema = z.strictObject({
  apiVersion: z.string().optional(),
  kind: z.literal('Proxy'),
  /** The service's name: `cart`. */
  name: z.string().min(1),
  namespace: z.string().min(1).default('default'),
  /** The workload, as `source_workload` shows it; the name when not given. */
  workload: z.string().min(1).optional(),
  /** Of the workload; `app` and `version` go into Istio's labels, `sourceLabels` of routes look here. */
  labels: textMap.default({}),
  listeners: z.array(listener).min(1, 'expected at least one listener'),
  /** Without it, there is no admin port. */
  admin: z.strictObject({ address }).optional(),
  otlp: z
    .strictObject({
      /** Base URL of an OTLP/HTTP receiver; without it nothing is sent. */
      endpoint: z.url({ protocol: /^https?$/ }).optional(),
      headers: textMap.default({}),
      metricsInterval: positiveDuration.refine((ms) => ms >= 1000, 'expected at least 1s').default(5000),
    })
    .prefault({}),
  tracing: z
    .strictObject({
      /** Share of the traces begun here that are kept whatever happens, percent. */
      sampling: z.number().min(0).max(100).default(100),
      /** A request that takes longer is kept in any case. */
      slow: positiveDuration.default(1000),
    })
    .prefault({}),
  /** How long requests may take to end when the proxy stops. */
  drain: positiveDuration.default(10_000),
})

/** A `kind: Proxy` document, valid, defaults filled in. */
export type ProxyConfig = z.output<typeof proxySchema>
