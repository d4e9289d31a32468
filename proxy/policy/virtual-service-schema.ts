import { z } from 'zod'
import {
  count,
  duration,
  metadata,
  percentage,
  port,
  positiveDuration,
  textMap,
  uint32,
} from './policy-values.ts'
import { unsupported } from './validate-document.ts'

const stringMatch = z
  .strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: z.string().optional() })
  .refine((match) => Object.keys(match).length <= 1, 'expected one of exact, prefix and regex')

const someStringMatch = stringMatch.refine(
  (match) => Object.keys(match).length === 1,
  'expected one of exact, prefix and regex',
)

// `x-flag: {}` and `x-flag:` ask for the header's presence.
const presenceOrMatch = stringMatch.nullable()

const httpMatch = z.strictObject({
  name: z.string().optional(),
  uri: someStringMatch.optional(),
  scheme: someStringMatch.optional(),
  method: someStringMatch.optional(),
  authority: someStringMatch.optional(),
  headers: z.record(z.string(), presenceOrMatch).optional(),
  withoutHeaders: z.record(z.string(), presenceOrMatch).optional(),
  queryParams: z.record(z.string(), presenceOrMatch).optional(),
  port: uint32.optional(),
  sourceLabels: textMap.optional(),
  sourceNamespace: z.string().optional(),
  gateways: z.array(z.string()).optional(),
  ignoreUriCase: z.boolean().optional(),
  statPrefix: unsupported('statistics are named by route and cluster'),
})

const headerChange = z.strictObject({
  set: textMap.optional(),
  add: textMap.optional(),
  remove: z.array(z.string()).optional(),
})

const headers = z.strictObject({ request: headerChange.optional(), response: headerChange.optional() })

const destination = z.strictObject({
  host: z.string().min(1),
  subset: z.string().optional(),
  port: z.strictObject({ number: port }).optional(),
})

const routeDestination = z.strictObject({
  destination,
  weight: count.optional(),
  headers: headers.optional(),
})

const retries = z.strictObject({
  attempts: count.optional(),
  perTryTimeout: positiveDuration.optional(),
  retryOn: z.string().optional(),
  backoff: positiveDuration.optional(),
  retryIgnorePreviousHosts: z.boolean().optional(),
  retryRemoteLocalities: unsupported('endpoints have no locality here'),
})

const delay = z.strictObject({
  percentage: percentage.optional(),
  percent: z.int().min(0).max(100).optional(),
  fixedDelay: positiveDuration.optional(),
  exponentialDelay: unsupported('Istio does not implement it either; use fixedDelay'),
})

const abort = z.strictObject({
  percentage: percentage.optional(),
  percent: z.number().min(0).max(100).optional(),
  httpStatus: z.int().min(200).max(599).optional(),
  grpcStatus: z.string().optional(),
  http2Error: unsupported('there is no HTTP/2 here; use httpStatus'),
})

const mirror = 'requests are not mirrored'

const httpRoute = z.strictObject({
  name: z.string().optional(),
  match: z.array(httpMatch).optional(),
  route: z.array(routeDestination).min(1).optional(),
  redirect: z
    .strictObject({
      uri: z.string().optional(),
      authority: z.string().optional(),
      port: port.optional(),
      derivePort: unsupported('name the port'),
      scheme: z.enum(['http', 'https']).optional(),
      redirectCode: z.literal([301, 302, 303, 307, 308]).optional(),
    })
    .optional(),
  directResponse: z
    .strictObject({
      status: z.int().min(200).max(599),
      body: z.strictObject({ string: z.string().optional(), bytes: z.base64().optional() }).optional(),
    })
    .optional(),
  delegate: unsupported('put the routes of the other VirtualService here'),
  rewrite: z
    .strictObject({
      uri: z.string().optional(),
      authority: z.string().optional(),
      uriRegexRewrite: z.strictObject({ match: z.string(), rewrite: z.string() }).optional(),
    })
    .optional(),
  timeout: duration.optional(),
  retries: retries.optional(),
  fault: z.strictObject({ delay: delay.optional(), abort: abort.optional() }).optional(),
  mirror: unsupported(mirror),
  mirrors: unsupported(mirror),
  mirrorPercentage: unsupported(mirror),
  mirrorPercent: unsupported(mirror),
  corsPolicy: unsupported('the service must answer CORS preflights'),
  headers: headers.optional(),
})

/** A VirtualService as Istio's API has it (v1alpha3, v1beta1, v1 are the same). */
export const virtualServiceSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('VirtualService'),
  metadata,
  status: z.unknown().optional(),
  spec: z.strictObject({
    hosts: z.array(z.string().min(1)).min(1),
    gateways: z.array(z.string()).optional(),
    http: z.array(httpRoute).optional(),
    tls: unsupported('only HTTP is routed'),
    tcp: unsupported('only HTTP is routed'),
    exportTo: z.array(z.string()).optional(),
  }),
})

/** A VirtualService, valid. */
export type VirtualService = z.output<typeof virtualServiceSchema>
/** An entry of `spec.http`. */
export type HttpRoute = NonNullable<VirtualService['spec']['http']>[number]
/** An entry of `spec.http[].match`. */
export type HttpMatch = NonNullable<HttpRoute['match']>[number]
/** `spec.http[].retries`. */
export type HttpRetries = NonNullable<HttpRoute['retries']>
/** `{exact}`, `{prefix}`, `{regex}`, or nothing: presence. */
export type StringCondition = z.output<typeof stringMatch>
/** `spec.http[].headers`. */
export type HttpHeaders = z.output<typeof headers>
