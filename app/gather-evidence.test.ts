import { afterAll, beforeAll, expect, test } from 'vitest'
import { labelsFrom } from '../model/labels.ts'
import { insertSpans, type TestSpan } from '../test/support/insert-spans.ts'
import { type OpenQueryDeps, openQueryDeps } from '../test/support/open-query-deps.ts'
import { createEvidenceProvider } from './gather-evidence.ts'

const NOW = Date.UTC(2026, 10, 20, 10)
let deps: OpenQueryDeps

/** One call of cart to a service, at a second after NOW. */
function call(id: number, second: number, durationMs: number, mesh: TestSpan['mesh']): TestSpan {
  return {
    traceId: String(id),
    spanId: String(id),
    service: 'cart.shop',
    name: 'GET /pay',
    kind: 'client',
    startTimeUnixNano: BigInt(NOW + second * 1000) * 1_000_000n,
    durationNanos: BigInt(durationMs) * 1_000_000n,
    isError: (mesh?.httpStatus ?? 200) !== 200,
    mesh: { upstream: 'payments.shop', ...mesh },
  }
}

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOW + 120_000 })
  await insertSpans(deps.storage, [
    call(1, 1, 5, { httpStatus: 200 }),
    call(2, 2, 900, { httpStatus: 200 }),
    call(3, 3, 7, { httpStatus: 503, responseFlags: '' }),
    call(4, 4, 6, { httpStatus: 200, retryAttempt: 2 }),
    // Refused by the breaker: nothing was sent, so there is no status.
    call(5, 5, 0, { httpStatus: 0, responseFlags: 'UO' }),
    call(6, 6, 0, { httpStatus: 0, responseFlags: 'UO' }),
    call(7, 7, 0, { httpStatus: 0, responseFlags: 'UF' }),
    // Neither of these is a 503 of payments.
    call(8, 8, 8000, { httpStatus: 0, responseFlags: 'UT' }),
    call(9, 9, 9000, { upstream: 'stock.shop', httpStatus: 503, responseFlags: 'UH' }),
    // Long before.
    call(10, -3600, 9999, { httpStatus: 503, responseFlags: 'UO' }),
  ])
})

afterAll(() => deps.close())

test.each([
  ['a cluster of Envoy', { cluster_name: 'outbound|8080||payments.shop.svc.cluster.local' }],
  [
    'a service and its namespace',
    { destination_service_name: 'payments', destination_service_namespace: 'shop' },
  ],
  ['a service without namespace', { destination_service_name: 'payments' }],
])('an alert that names %s gets the traces and the 503s of that service and time', async (_, labels) => {
  const gather = createEvidenceProvider({ ...deps, externalUrl: 'http://mesh.example' })
  const evidence = await gather({
    tenant: 'default',
    labels: labelsFrom(Object.entries(labels)),
    startsAtMs: NOW + 10_000,
    endsAtMs: NOW + 20_000,
    windowMs: 60_000,
  })
  expect(evidence.problem).toBeNull()
  expect(evidence.by503Flag).toEqual([
    { flags: 'UO', count: 2, share: 0.5 },
    { flags: '', count: 1, share: 0.25 },
    { flags: 'UF', count: 1, share: 0.25 },
  ])
  const ids = new Map(evidence.traces.map(({ why, traceId }) => [why, Number(traceId)]))
  // The newest that failed is also the slowest of all: it is shown once, and the slowest of the others beside it.
  expect(Object.fromEntries(ids)).toEqual({ failed: 8, 'most-retried': 4, slowest: 2 })
  for (const { traceId, link } of evidence.traces)
    expect(link).toBe(`http://mesh.example/api/traces/${traceId}`)
})

test('another tenant has no evidence of it', async () => {
  const evidence = await createEvidenceProvider(deps)({
    tenant: 'other',
    labels: labelsFrom([['destination_service_name', 'payments']]),
    startsAtMs: NOW,
    endsAtMs: NOW + 20_000,
    windowMs: 60_000,
  })
  expect(evidence).toEqual({ traces: [], endpointsEjected: [], by503Flag: [], links: [], problem: null })
})
