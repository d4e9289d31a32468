import type { SpanKind, StatusCode } from '../../model/span.ts'

/** One attribute that must have one value. The value is compared with the stored text of the attribute. */
export interface AttributeEquals {
  readonly key: string
  readonly value: string
}

/**
 * Which spans are looked for. Everything that is given must hold for one and the same span (AND); what is absent
 * does not matter. A trace is found when at least one of its spans matches.
 */
export interface TraceFilter {
  readonly service?: string | undefined
  /** Span name. */
  readonly operation?: string | undefined
  readonly kind?: SpanKind | undefined
  /** The status code as it was sent. */
  readonly status?: StatusCode | undefined
  /** Whether the request failed: an error status, or a 5xx that no status speaks about. */
  readonly isError?: boolean | undefined
  /** Nanoseconds, inclusive. */
  readonly minDurationNs?: bigint | undefined
  /** Nanoseconds, inclusive. */
  readonly maxDurationNs?: bigint | undefined
  /** Each must equal an attribute of the span or of its resource. */
  readonly attributes?: readonly AttributeEquals[] | undefined
  /** Each must equal an attribute of the span itself. */
  readonly spanAttributes?: readonly AttributeEquals[] | undefined
  /** Each must equal an attribute of the span's resource. */
  readonly resourceAttributes?: readonly AttributeEquals[] | undefined
  /** Envoy response flags (`UO`, `UF` …): the span has at least one of them. Empty: does not matter. */
  readonly flags?: readonly string[] | undefined
  /** True: only retries (attempt 1 or later). False: only first attempts. */
  readonly isRetried?: boolean | undefined
  readonly httpStatus?: number | undefined
  readonly grpcStatus?: number | undefined
  /** The callee as its caller names it. */
  readonly upstream?: string | undefined
  readonly upstreamCluster?: string | undefined
  readonly upstreamEndpoint?: string | undefined
  /** Only spans without a parent. */
  readonly isRoot?: boolean | undefined
}
