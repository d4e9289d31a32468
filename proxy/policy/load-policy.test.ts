import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatFinding } from './finding.ts'
import { type LoadPolicyOptions, loadPolicy } from './load-policy.ts'
import type { ClusterPolicy } from './proxy-policy.ts'

const ENDPOINTS = `
clusters:
- host: payments
  port: 8080
  endpoints:
  - { address: 127.0.0.1:9001, labels: { version: v1 } }
  - { address: 127.0.0.1:9002, labels: { version: v1 }, weight: 3 }
  - { address: 127.0.0.1:9003, labels: { version: v2 } }
`

function load(text: string, options: LoadPolicyOptions & { endpoints?: string } = {}) {
  const { endpoints = ENDPOINTS, ...rest } = options
  return loadPolicy(
    [
      { file: 'policy.yaml', text },
      { file: 'endpoints.yaml', text: endpoints },
    ],
    rest,
  )
}

function lines(text: string, options: Parameters<typeof load>[1] = {}): string[] {
  return load(text, options).findings.map(formatFinding)
}

function rule(spec: string): string {
  return `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: r }\nspec:\n  host: payments\n${spec}`
}

function service(http: string): string {
  return `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\nspec:\n  hosts: [payments]\n  http:\n${http}`
}

function cluster(text: string, subset = ''): ClusterPolicy {
  const { policy, findings } = load(text)
  expect(findings.filter((finding) => finding.severity === 'error')).toEqual([])
  const found = policy.clusters.get(`outbound|8080|${subset}|payments.default.svc.cluster.local`)
  if (found === undefined) throw new Error(`no cluster ${subset}`)
  return found
}

const ARTICLES = join(import.meta.dirname, '../../../shared/policies')
const hasArticles = existsSync(ARTICLES)
if (!hasArticles) console.warn(`Skipped: the documents of articles are not at ${ARTICLES}`)

describe.skipIf(!hasArticles)('documents as articles print them', () => {
  const folder = ARTICLES
  const files = hasArticles ? readdirSync(folder).filter((file) => file.endsWith('.yaml')) : []

  test('load with the report that is kept of them, lenient and strict', async () => {
    const report = (['lenient', 'strict'] as const).flatMap((mode) => [
      `# ${mode}`,
      ...files.flatMap((file) => {
        const text = readFileSync(join(folder, file), 'utf8')
        return loadPolicy([{ file, text }], { mode }).findings.map(formatFinding)
      }),
    ])
    await expect(`${report.join('\n')}\n`).toMatchFileSnapshot(
      join(import.meta.dirname, 'testdata/articles-report.txt'),
    )
  })

  test.each(files)('%s has no error where the proxy runs it', (file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const { findings } = loadPolicy([{ file, text }])
    expect(findings.filter((finding) => finding.severity === 'error')).toEqual([])
  })

  test('load together, in one policy, for a service with four endpoints', () => {
    const sources = files.map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }))
    const endpoint = (port: number, version: string) =>
      `{ address: 127.0.0.1:${port}, labels: { version: ${version} } }`
    const four = [endpoint(1, 'v1'), endpoint(2, 'v1'), endpoint(3, 'v2'), endpoint(4, 'v2')].join(', ')
    const text = `clusters: [{ host: user-service, port: 80, endpoints: [${four}] }]`
    const { policy, findings } = loadPolicy([...sources, { file: 'endpoints.yaml', text }])
    expect(findings.filter((finding) => finding.severity === 'error')).toEqual([])
    const codes = findings.map((finding) => `${finding.code} ${finding.file.slice(0, 2)}`)
    // Five VirtualServices name the same host, and the first is the one; four endpoints are too few to eject one.
    for (const number of ['08', '09', '17', '18', '20', '27'])
      expect(codes).toContain(`HOST_DUPLICATE ${number}`)
    for (const number of ['12', '13', '14', '27']) expect(codes).toContain(`MESH003 ${number}`)
    const [route] = policy.exactHosts.get('user-service')?.routes ?? []
    expect(route?.name).toBe('conditional-retry[0]')
    const subsets = [...policy.clusters.values()].filter((entry) => entry.subset !== '')
    expect(subsets.map((entry) => [entry.subset, entry.endpoints.length])).toEqual([
      ['v2', 2],
      ['v1', 2],
    ])
  })
})

describe('the dialect of articles', () => {
  test('retryPolicy and abort.percent do what was meant, and nothing where strict', () => {
    const dialect = rule(`  trafficPolicy:
    retryPolicy: { retryOn: "5xx", numRetries: 3, retryBackOff: { baseInterval: 1s, maxInterval: 10s } }`)
    const retryOf = (mode: 'lenient' | 'strict') => {
      const [route] = load(dialect, { mode }).policy.exactHosts.get('payments')?.routes ?? []
      return route?.action.kind === 'forward' ? route.action.destinations[0]?.retry : undefined
    }
    expect(retryOf('lenient')).toMatchObject({ numRetries: 3, baseIntervalMs: 1000, maxIntervalMs: 10_000 })
    expect([...(retryOf('lenient')?.retryOn ?? [])]).toEqual(['5xx'])
    expect(retryOf('strict')).toMatchObject({ numRetries: 2, baseIntervalMs: 25 })
    const abort = service(`  - fault: { abort: { percent: 5, httpStatus: 500 } }
    route: [{ destination: { host: payments } }]`)
    const faultOf = (mode: 'lenient' | 'strict') =>
      load(abort, { mode }).policy.exactHosts.get('payments')?.routes[0]?.fault
    expect(faultOf('lenient')).toEqual({ delay: null, abort: { percent: 5, status: 500, grpcStatus: null } })
    expect(faultOf('strict')).toBeNull()
  })
})

describe('the report', () => {
  test('names file, line, column and path of every problem at once', () => {
    const text = `${service(`  - rout:
    - destination: { host: payments }
    timeout: 5
    retries: { attempts: -1, perTryTimeout: 2 sec }
    mirror: { host: other }
    corsPolicy: {}
    redirect: { uri: / }`)}
---
kind: [`
    expect(lines(text)).toEqual([
      'policy.yaml:7:5: warning FIELD_UNKNOWN: there is no field "rout" here: it is ignored (spec.http[0].rout)',
      'policy.yaml:9:5: error FIELD_INVALID: expected a duration such as 5s, 100ms or 1m30s (spec.http[0].timeout)',
      'policy.yaml:10:16: error FIELD_INVALID: Too small: expected number to be >=0 (spec.http[0].retries.attempts)',
      'policy.yaml:10:30: error FIELD_INVALID: expected a duration such as 5s, 100ms or 1m30s, got "2 sec" (spec.http[0].retries.perTryTimeout)',
      'policy.yaml:11:5: warning FIELD_UNSUPPORTED: not done by this proxy: requests are not mirrored (spec.http[0].mirror)',
      'policy.yaml:12:5: warning FIELD_UNSUPPORTED: not done by this proxy: the service must answer CORS preflights (spec.http[0].corsPolicy)',
      expect.stringContaining('policy.yaml:15:8: error YAML_INVALID: '),
    ])
  })

  test('tells what this proxy does not do, and goes on without it', () => {
    const text = service(`  - route: [{ destination: { host: payments } }]
    mirror: { host: other }
    corsPolicy: {}`)
    expect(lines(text)).toEqual([
      'policy.yaml:8:5: warning FIELD_UNSUPPORTED: not done by this proxy: requests are not mirrored (spec.http[0].mirror)',
      'policy.yaml:9:5: warning FIELD_UNSUPPORTED: not done by this proxy: the service must answer CORS preflights (spec.http[0].corsPolicy)',
    ])
    expect(load(text).policy.exactHosts.get('payments')?.routes).toHaveLength(1)
  })

  test('leaves a host its default routes where a VirtualService has none for HTTP', () => {
    const text = service('').replace('  http:\n', '  tcp: []\n')
    const { policy, findings } = load(text)
    expect(findings.map((finding) => finding.code).toSorted()).toEqual(['FIELD_UNSUPPORTED', 'NOT_SELECTED'])
    expect(policy.exactHosts.get('payments')?.routes.map((route) => route.name)).toEqual(['default'])
  })

  test('refuses an unknown field where strict', () => {
    const text = rule('  trafficPolicy: { connectionPool: { tcp: { maxConections: 3 } } }')
    expect(lines(text, { mode: 'strict' })).toEqual([
      'policy.yaml:6:45: error FIELD_UNKNOWN: there is no field "maxConections" here (spec.trafficPolicy.connectionPool.tcp.maxConections)',
    ])
  })

  test('finds the place inside a List and behind an alias', () => {
    const text = `apiVersion: v1
kind: List
items:
- apiVersion: networking.istio.io/v1beta1
  kind: DestinationRule
  metadata: { name: a }
  spec:
    host: payments
    trafficPolicy: &policy
      outlierDetection: { maxEjectionPercent: 101 }
- apiVersion: networking.istio.io/v2
  kind: DestinationRule
  metadata: { name: b }
  spec: { host: other }
`
    expect(lines(text)).toEqual([
      'policy.yaml:10:27: error FIELD_INVALID: Too big: expected number to be <=100 (spec.trafficPolicy.outlierDetection.maxEjectionPercent)',
      expect.stringContaining(
        'policy.yaml:11:3: error FIELD_INVALID: expected one of networking.istio.io/v1alpha3, ',
      ),
      expect.stringContaining('policy.yaml:14:11: warning HOST_WITHOUT_ENDPOINTS: '),
    ])
  })

  test('hands over documents that others read', () => {
    const { otherDocuments, findings } = load('kind: Proxy\nname: shop\n')
    expect(findings).toEqual([])
    expect(otherDocuments.map((document) => document.value)).toEqual([{ kind: 'Proxy', name: 'shop' }])
  })

  test.each([
    [
      'MESH002',
      service(
        '  - { route: [{ destination: { host: payments } }], retries: { attempts: 2, perTryTimeout: 1s } }',
      ),
    ],
    ['MESH003', rule('  trafficPolicy: { outlierDetection: { maxEjectionPercent: 33 } }')],
    [
      'MESH004',
      rule('  trafficPolicy: { outlierDetection: { maxEjectionPercent: 50, consecutiveGatewayErrors: 5 } }'),
    ],
    [
      'MESH005',
      rule('  trafficPolicy: { outlierDetection: { maxEjectionPercent: 50, minHealthPercent: 50 } }'),
    ],
    [
      'MESH007',
      service(
        '  - { route: [{ destination: { host: payments } }], timeout: 5s, retries: { attempts: 5, perTryTimeout: 1s, retryOn: 5xx } }',
      ),
    ],
    [
      'MESH008',
      service(
        '  - { route: [{ destination: { host: payments } }], retries: { attempts: 2, retryOn: "503" } }',
      ),
    ],
    [
      'MESH009',
      service(
        '  - { route: [{ destination: { host: payments } }], retries: { attempts: 2, retryOn: connect-failure } }',
      ),
    ],
    [
      'MESH010',
      service('  - { route: [{ destination: { host: payments } }], retries: { attempts: 2, retryOn: 5xx } }'),
    ],
    [
      'MESH011',
      rule(
        '  trafficPolicy: { connectionPool: { http: { http1MaxPendingRequests: 1, maxRequestsPerConnection: 10 } } }',
      ),
    ],
    [
      'MESH012',
      rule(
        '  trafficPolicy: { outlierDetection: { maxEjectionPercent: 50 }, portLevelSettings: [{ port: { number: 8080 }, tls: { mode: DISABLE } }] }',
      ),
    ],
    [
      'MESH013',
      rule(
        '  trafficPolicy: { outlierDetection: { maxEjectionPercent: 50, splitExternalLocalOriginErrors: true } }',
      ),
    ],
    [
      'RETRIES_WITHOUT_ATTEMPTS',
      service('  - { route: [{ destination: { host: payments } }], retries: { perTryTimeout: 1s } }'),
    ],
    [
      'FAULT_NEVER',
      service('  - { route: [{ destination: { host: payments } }], fault: { abort: { httpStatus: 500 } } }'),
    ],
    ['PORT_UNKNOWN', service('  - { route: [{ destination: { host: payments, port: { number: 81 } } }] }')],
    ['SUBSET_UNKNOWN', service('  - { route: [{ destination: { host: payments, subset: v9 } }] }')],
    [
      'ROUTE_UNREACHABLE',
      service(
        '  - { route: [{ destination: { host: payments } }] }\n  - { route: [{ destination: { host: payments } }] }',
      ),
    ],
    [
      'SUBSET_EMPTY',
      `${service('  - { route: [{ destination: { host: payments, subset: v9 } }] }')}\n---\n${rule('  subsets: [{ name: v9, labels: { version: v9 } }]')}`,
    ],
    ['NOT_SELECTED', rule('  exportTo: [elsewhere]')],
  ])('says %s where it holds', (code, text) => {
    expect(load(text).findings.map((finding) => finding.code)).toContain(code)
  })

  test('says nothing where nothing is wrong', () => {
    const text = `${service(`  - match: [{ uri: { prefix: /api/ }, method: { exact: GET } }]
    route: [{ destination: { host: payments, subset: v1 }, weight: 90 }, { destination: { host: payments, subset: v2 }, weight: 10 }]
    timeout: 5s
    retries: { attempts: 2, perTryTimeout: 1s, retryOn: "5xx,reset,connect-failure", backoff: 50ms }
  - route: [{ destination: { host: payments } }]`)}
---
${rule(`  trafficPolicy:
    loadBalancer: { simple: ROUND_ROBIN }
    connectionPool: { tcp: { maxConnections: 100, connectTimeout: 1s }, http: { http2MaxRequests: 50, maxRetries: 3 } }
    outlierDetection: { consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 5s, maxEjectionPercent: 50 }
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]`)}`
    expect(lines(text)).toEqual([])
    expect(lines(text, { mode: 'strict' })).toEqual([])
  })
})

describe('a cluster', () => {
  test('without rules has Istio’s defaults', () => {
    expect(cluster('')).toEqual({
      name: 'outbound|8080||payments.default.svc.cluster.local',
      host: 'payments.default.svc.cluster.local',
      port: 8080,
      subset: '',
      endpoints: [
        { address: '127.0.0.1:9001', labels: { version: 'v1' }, weight: 1 },
        { address: '127.0.0.1:9002', labels: { version: 'v1' }, weight: 3 },
        { address: '127.0.0.1:9003', labels: { version: 'v2' }, weight: 1 },
      ],
      pool: {
        maxConnections: 4_294_967_295,
        maxPendingRequests: 4_294_967_295,
        maxRequests: 4_294_967_295,
        maxRetries: 4_294_967_295,
        connectTimeoutMs: 10_000,
        maxRequestsPerConnection: 0,
        idleTimeoutMs: 3_600_000,
        maxConnectionDurationMs: 0,
        keepAlive: null,
      },
      retryBudget: null,
      outlier: null,
      panicThresholdPercent: 0,
      balancer: { kind: 'least-request' },
      tls: null,
    })
  })

  test('with an empty outlierDetection detects with Istio’s defaults', () => {
    expect(cluster(rule('  trafficPolicy: { outlierDetection: {} }')).outlier).toEqual({
      consecutive5xx: 5,
      enforcing5xx: 100,
      consecutiveGateway: 0,
      enforcingGateway: 0,
      consecutiveLocalOrigin: 5,
      enforcingLocalOrigin: 100,
      splitsLocalOrigin: false,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectionJitterMs: 0,
      maxEjectionPercent: 10,
    })
  })

  test('of a subset has the endpoints with its labels; its blocks replace the destination’s whole', () => {
    const text = rule(`  trafficPolicy:
    connectionPool: { tcp: { maxConnections: 7 }, http: { maxRetries: 3 } }
    retryBudget: {}
  subsets:
  - name: v1
    labels: { version: v1 }
    trafficPolicy: { connectionPool: { http: { http2MaxRequests: 9 } } }`)
    const v1 = cluster(text, 'v1')
    expect(v1.endpoints.map((entry) => entry.address)).toEqual(['127.0.0.1:9001', '127.0.0.1:9002'])
    expect(v1.pool).toMatchObject({
      maxConnections: 4_294_967_295,
      maxRequests: 9,
      maxRetries: 4_294_967_295,
    })
    expect(v1.retryBudget).toEqual({ percent: 20, minRetries: 3 })
    expect(cluster(text).pool).toMatchObject({ maxConnections: 7, maxRetries: 3 })
  })

  test('at a port with settings of its own does not inherit the destination’s', () => {
    const text = rule(`  trafficPolicy:
    outlierDetection: {}
    connectionPool: { tcp: { maxConnections: 7 } }
    retryBudget: { percent: 50 }
    portLevelSettings: [{ port: { number: 8080 }, loadBalancer: { simple: RANDOM } }]`)
    expect(cluster(text)).toMatchObject({
      outlier: null,
      pool: { maxConnections: 4_294_967_295 },
      balancer: { kind: 'random' },
      retryBudget: { percent: 50, minRetries: 3 },
    })
  })

  test('takes the first traffic policy of its host and the subsets of all', () => {
    const text = [
      rule('  trafficPolicy: { loadBalancer: { simple: RANDOM } }'),
      rule(
        '  trafficPolicy: { loadBalancer: { simple: ROUND_ROBIN } }\n  subsets: [{ name: v2, labels: { version: v2 } }]',
      ),
    ].join('\n---\n')
    expect(cluster(text, 'v2').balancer).toEqual({ kind: 'random' })
    expect(load(text).findings.map((finding) => [finding.code, finding.line])).toEqual([
      ['HOST_DUPLICATE', 13],
    ])
  })

  test('takes the most specific wildcard rule', () => {
    const wild = (host: string, simple: string) =>
      rule(`  trafficPolicy: { loadBalancer: { simple: ${simple} } }`).replace(
        'host: payments',
        `host: "${host}"`,
      )
    const text = [wild('*.local', 'RANDOM'), wild('*.default.svc.cluster.local', 'ROUND_ROBIN')].join(
      '\n---\n',
    )
    expect(cluster(text).balancer).toEqual({ kind: 'round-robin' })
  })
})
