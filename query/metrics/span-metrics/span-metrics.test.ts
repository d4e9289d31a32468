import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labelsFrom, labelsText } from '../../../model/labels.ts'
import { storeMessage } from '../../../test/support/decode-message.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../../test/support/open-query-deps.ts'
import { encodeRequest } from '../../../test/support/otlp-messages.ts'
import { seededRandom } from '../../../test/support/seeded-random.ts'
import { text } from '../../../test/support/stored-attributes.ts'
import type { QueryEngine } from '../../promql/query-engine.ts'
import { createMetricsEngine } from '../create-metrics-engine.ts'
import { createSampleWriter } from '../create-sample-writer.ts'
import { listLabelNames, listLabelValues } from '../list-labels.ts'
import { listMetadata } from '../list-metadata.ts'
import { selectLabelSets } from '../select-label-sets.ts'

const NOON = Date.UTC(2026, 2, 3, 12)
const MIDNIGHT = Date.UTC(2026, 2, 4)
const SECOND = 1000
const MINUTE = 60_000

interface Call {
  readonly service: string
  readonly name: string
  readonly kind: 'server' | 'client'
  readonly atMs: number
  readonly durationMs: number
  readonly isError?: boolean
  readonly httpStatus?: number
  readonly flags?: string
  readonly upstream?: string
}

let deps: OpenQueryDeps
let engine: QueryEngine

beforeAll(async () => {
  deps = await openQueryDeps({ now: NOON + 14 * 3_600_000 })
  engine = createMetricsEngine(deps)
})
afterAll(() => deps.close())

let ids = 0

/** Through the decoder, as spans come. */
async function store(tenant: string, calls: readonly Call[]): Promise<void> {
  const resourceSpans = [...new Set(calls.map(({ service }) => service))].map((service) => ({
    resource: { attributes: [text('service.name', service)] },
    scopeSpans: [{ spans: calls.filter((call) => call.service === service).map(spanOf) }],
  }))
  const outcome = await storeMessage(deps.storage, 'traces', encodeRequest('traces', { resourceSpans }), {
    now: NOON,
    tenant,
  })
  expect(outcome.rejected).toBe(0)
}

function spanOf(call: Call) {
  ids += 1
  const start = BigInt(call.atMs) * 1_000_000n
  return {
    traceId: String(ids).padStart(32, '0'),
    spanId: String(ids).padStart(16, '0'),
    name: call.name,
    kind: call.kind === 'server' ? 2 : 3,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + BigInt(Math.round(call.durationMs * 1e6))),
    status: { code: call.isError === true ? 2 : 0 },
    attributes: [
      ...(call.httpStatus === undefined ? [] : [text('http.response.status_code', String(call.httpStatus))]),
      ...(call.flags === undefined ? [] : [text('response_flags', call.flags)]),
      ...(call.upstream === undefined ? [] : [text('peer.service', call.upstream)]),
    ],
  }
}

/** Checks a range query, `count` steps of 45 seconds, against instant queries. */
async function expectInstants(tenant: string, expr: string, startMs: number, count: number): Promise<void> {
  const stepMs = 45 * SECOND
  const result = await engine.range({ tenant, expr, startMs, endMs: startMs + (count - 1) * stepMs, stepMs })
  if (result.type !== 'matrix') throw new Error(`a ${result.type}`)
  expect(result.matrix.length).toBeGreaterThan(0)
  for (let i = 0; i < count; i += 1) {
    const timeMs = startMs + i * stepMs
    const found: Record<string, number> = {}
    for (const { labels, timestamps, values } of result.matrix) {
      const at = timestamps.indexOf(timeMs)
      if (at >= 0) found[labelsText(labels)] = values[at] as number
    }
    const expected = await ask(tenant, expr, timeMs)
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
    for (const [labels, value] of Object.entries(found)) {
      expect(value, `${labels} at ${timeMs}`).toBeCloseTo(expected[labels] as number, 10)
    }
  }
}

async function ask(tenant: string, expr: string, timeMs: number): Promise<Record<string, number>> {
  const result = await engine.instant({ tenant, expr, timeMs })
  if (result.type !== 'vector') throw new Error(`a ${result.type}`)
  return Object.fromEntries(result.vector.map(({ labels, value }) => [labelsText(labels), value]))
}

describe('one call', () => {
  const call: Call = {
    service: 'cart',
    name: 'GET /items',
    kind: 'client',
    atMs: NOON + 3 * SECOND,
    durationMs: 20,
    isError: true,
    httpStatus: 503,
    flags: 'UO',
    upstream: 'stock',
  }
  const labels = 'http_status_code="503", response_flag="UO"'
  const RED = `${labels}, service="cart", span_kind="SPAN_KIND_CLIENT", span_name="GET /items", status_code="STATUS_CODE_ERROR"`
  const EDGE = `client="cart", ${labels}, server="stock"`

  beforeAll(() => store('one', [call]))

  test('is counted from the end of its slot on, with its labels', async () => {
    const at = (seconds: number) => ask('one', 'traces_spanmetrics_calls_total', NOON + seconds * SECOND)
    const series = `traces_spanmetrics_calls_total{${RED}}`
    expect(await at(-1)).toEqual({})
    expect(await at(9)).toEqual({ [series]: 0 })
    expect(await at(10)).toEqual({ [series]: 1 })
    expect(await at(310)).toEqual({ [series]: 1 })
    expect(await at(320)).toEqual({})
  })

  test('is seen by rate and increase though there was none before', async () => {
    const increase = await ask('one', 'increase(traces_spanmetrics_calls_total[1m])', NOON + 30 * SECOND)
    expect(increase[`{${RED}}`]).toBeGreaterThanOrEqual(1)
    const failed = await ask('one', 'rate(traces_service_graph_request_failed_total[1m])', NOON + 30 * SECOND)
    expect(failed[`{${EDGE}}`]).toBeGreaterThan(0)
  })

  test('its duration is in milliseconds and in seconds, as sum and in the bucket that holds it', async () => {
    const at = NOON + MINUTE
    expect(await ask('one', 'traces_spanmetrics_duration_milliseconds_sum', at)).toEqual({
      [`traces_spanmetrics_duration_milliseconds_sum{${RED}}`]: 20,
    })
    expect(await ask('one', 'traces_service_graph_request_client_seconds_sum', at)).toEqual({
      [`traces_service_graph_request_client_seconds_sum{${EDGE}}`]: 0.02,
    })
    const buckets = await ask('one', 'sum by (le) (traces_spanmetrics_duration_milliseconds_bucket)', at)
    expect(Object.keys(buckets)).toHaveLength(21)
    expect(buckets['{le="16.777216"}']).toBe(0)
    expect(buckets['{le="33.554432"}']).toBe(1)
    expect(buckets['{le="+Inf"}']).toBe(1)
    const seconds = await ask(
      'one',
      'traces_service_graph_request_server_seconds_bucket{le="0.033554432"}',
      at,
    )
    expect(Object.values(seconds)).toEqual([1])
    const quantile = await ask('one', 'histogram_quantile(0.5, traces_spanmetrics_latency_bucket)', at)
    expect(Object.values(quantile)[0]).toBeCloseTo(0.0251, 3)
  })

  test('nobody else sees it', async () => {
    expect(await ask('other', 'traces_spanmetrics_calls_total', NOON + MINUTE)).toEqual({})
  })

  test('matchers on every label, also on those that are not there', async () => {
    const count = async (matchers: string) =>
      Object.keys(await ask('one', `{${matchers}}`, NOON + MINUTE)).length
    expect(await count('__name__="traces_spanmetrics_calls_total", service="cart"')).toBe(1)
    expect(await count('__name__=~"traces_spanmetrics_(calls|nothing)_total", span_name=~"GET .*"')).toBe(1)
    expect(
      await count('__name__="traces_spanmetrics_calls_total", span_kind!~"SPAN_KIND_(CLIENT|SERVER)"'),
    ).toBe(0)
    expect(await count('__name__="traces_spanmetrics_calls_total", status_code!="STATUS_CODE_ERROR"')).toBe(0)
    expect(await count('__name__="traces_spanmetrics_calls_total", http_status_code=~"5.."')).toBe(1)
    expect(await count('__name__="traces_spanmetrics_calls_total", response_flag=~"UO|UH"')).toBe(1)
    expect(await count('__name__="traces_spanmetrics_calls_total", service=~"\\\\Qcart\\\\E"')).toBe(1)
    expect(await count('__name__="traces_spanmetrics_calls_total", pod=""')).toBe(1)
    expect(await count('__name__="traces_spanmetrics_calls_total", pod="p"')).toBe(0)
    expect(await count('__name__=~"traces_.*", client="cart", le=""')).toBe(6)
    expect(await count('__name__=~"traces_.*", server!=""')).toBe(6 + 2 * 21)
  })
})

describe('many calls, counted by hand', () => {
  const { next: random, pick } = seededRandom(7)
  const calls: Call[] = Array.from({ length: 2000 }, () => {
    const kind = pick(['server', 'client'] as const)
    return {
      service: pick(['cart', 'stock', 'pay']),
      name: pick(['GET /', 'POST /pay']),
      kind,
      // Two hours around midnight.
      atMs: MIDNIGHT - 60 * MINUTE + Math.floor(random() * 120 * MINUTE),
      durationMs: 2 ** (random() * 20) / 100,
      isError: random() < 0.3,
      ...(random() < 0.5 ? { httpStatus: pick([200, 404, 503]) } : {}),
      ...(kind === 'client' ? { upstream: pick(['stock', 'pay']) } : {}),
    }
  })

  beforeAll(() => store('many', calls))

  const between = (fromMs: number, toMs: number, isWanted: (call: Call) => boolean) =>
    calls.filter((call) => call.atMs >= fromMs && call.atMs < toMs && isWanted(call)).length

  test('the counter says what was counted since midnight, wherever it is read', async () => {
    for (const minutes of [-31, -7, -0.5, 0, 1, 20, 59]) {
      const at = MIDNIGHT + minutes * MINUTE
      const day = minutes <= 0 ? MIDNIGHT - 86_400_000 : MIDNIGHT
      const sums = await ask(
        'many',
        'sum by (service) (last_over_time(traces_spanmetrics_calls_total[3h]))',
        at,
      )
      for (const service of ['cart', 'stock', 'pay']) {
        // Series that ended before midnight still say what they had then: only those of the day are added up here.
        if (minutes > 0) continue
        expect(sums[`{service="${service}"}`]).toBe(between(day, at, (call) => call.service === service))
      }
    }
  })

  test('increase over midnight misses nothing and counts nothing twice', async () => {
    const from = MIDNIGHT - 40 * MINUTE
    const to = MIDNIGHT + 40 * MINUTE
    // Resets add up to what was counted; without extrapolation when the window is all there is in the range.
    const result = await engine.instant({
      tenant: 'many',
      expr: 'sum by (service) (increase(traces_spanmetrics_calls_total[80m]))',
      timeMs: to,
    })
    if (result.type !== 'vector') throw new Error(`a ${result.type}`)
    for (const { labels, value } of result.vector) {
      const expected = between(from, to, (call) => labels[1] === call.service)
      expect(Math.abs(value / expected - 1)).toBeLessThan(0.02)
    }
    expect(result.vector).toHaveLength(3)
  })

  test('requests between services, failed ones, and their durations', async () => {
    const at = MIDNIGHT - MINUTE
    const day = MIDNIGHT - 86_400_000
    const edges = (name: string) => ask('many', `sum by (client, server) (last_over_time(${name}[3h]))`, at)
    const [all, failed, seconds] = await Promise.all([
      edges('traces_service_graph_request_total'),
      edges('traces_service_graph_request_failed_total'),
      edges('traces_service_graph_request_client_seconds_sum'),
    ])
    for (const client of ['cart', 'stock', 'pay']) {
      for (const server of ['stock', 'pay']) {
        const isEdge = (call: Call) => call.service === client && call.upstream === server
        const key = `{client="${client}", server="${server}"}`
        expect(all[key]).toBe(between(day, at, isEdge))
        expect(failed[key]).toBe(between(day, at, (call) => isEdge(call) && isFailure(call)))
        const sum = calls.filter((call) => call.atMs < at && isEdge(call))
        const total = sum.reduce((before, call) => before + Math.round(call.durationMs * 1e6) / 1e9, 0)
        expect(seconds[key]).toBeCloseTo(total, 6)
      }
    }
  })

  test('buckets hold what is not longer than their bound', async () => {
    const at = MIDNIGHT - MINUTE
    const buckets = await ask(
      'many',
      'sum by (le) (last_over_time(traces_spanmetrics_duration_milliseconds_bucket[3h]))',
      at,
    )
    for (const power of [17, 20, 24, 30, 36]) {
      const bound = 2 ** power / 1e6
      const expected = between(0, at, (call) => Math.round(call.durationMs * 1e6) + 1 < 2 ** power)
      expect(buckets[`{le="${bound}"}`]).toBe(expected)
    }
    expect(buckets['{le="+Inf"}']).toBe(between(0, at, () => true))
  })

  test.each([
    'sum(rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[2m]))',
    'rate(traces_spanmetrics_calls_total[2m])',
    'traces_spanmetrics_latency_bucket',
    'histogram_quantile(0.9, sum by (le) (rate(traces_spanmetrics_duration_milliseconds_bucket[3m])))',
    'sum by (__name__, service) ({__name__=~"traces_spanmetrics_(calls_total|latency_sum)"})',
    'max by (client, server) (increase(traces_service_graph_request_total[4m]))',
    'count({__name__=~"traces_.+"})',
    'sum(rate(traces_spanmetrics_calls_total[2m])) / sum(rate(traces_spanmetrics_calls_total[2m] offset 1m))',
  ])('a range query says at each step what an instant query says there: %s', async (expr) => {
    await expectInstants('many', expr, MIDNIGHT - 5 * MINUTE, 14)
  })

  test('too many samples are refused', async () => {
    const small = createMetricsEngine(deps, { maxSamples: 10_000 })
    const query = { tenant: 'many', expr: 'count(traces_spanmetrics_calls_total)', timeMs: MIDNIGHT }
    await expect(small.instant(query)).resolves.toBeDefined()
    await expect(
      small.instant({ ...query, expr: 'count(rate(traces_spanmetrics_calls_total[1h]))' }),
    ).rejects.toThrow(/too many samples/)
  })
})

test('stored series of the same names are there as well', async () => {
  const labels = labelsFrom([
    ['__name__', 'traces_spanmetrics_calls_total'],
    ['service', 'elsewhere'],
  ])
  const sample = { labels, timestampMs: NOON + MINUTE, value: 5, isStale: false }
  await createSampleWriter(deps.storage).write('mixed', [sample], 'mixed')
  await store('mixed', [{ service: 'cart', name: 'x', kind: 'server', atMs: NOON, durationMs: 1 }])
  expect(await ask('mixed', 'sum by (service) (traces_spanmetrics_calls_total)', NOON + MINUTE)).toEqual({
    '{service="cart"}': 1,
    '{service="elsewhere"}': 5,
  })
  await expectInstants('mixed', 'sum by (service) (traces_spanmetrics_calls_total)', NOON - MINUTE, 9)
})

describe('lists', () => {
  const range = { fromMs: NOON, toMs: NOON + MINUTE, tenant: 'one' }

  test('series', async () => {
    const sets = await selectLabelSets(deps.storage, {
      ...range,
      matcherSets: [[{ name: '__name__', op: '=~', value: 'traces_service_graph_request(_failed)?_total' }]],
    })
    const labels = 'client="cart", http_status_code="503", response_flag="UO", server="stock"'
    expect(sets.map(labelsText).sort()).toEqual([
      `traces_service_graph_request_failed_total{${labels}}`,
      `traces_service_graph_request_total{${labels}}`,
    ])
  })

  test('names of labels', async () => {
    const all = await listLabelNames(deps.storage, { ...range, matcherSets: [] })
    expect(all).toEqual([
      '__name__',
      'client',
      'http_status_code',
      'le',
      'response_flag',
      'server',
      'service',
      'span_kind',
      'span_name',
      'status_code',
    ])
    const calls = [{ name: '__name__', op: '=' as const, value: 'traces_spanmetrics_calls_total' }]
    expect(await listLabelNames(deps.storage, { ...range, matcherSets: [calls] })).toEqual(
      all.filter((name) => !['client', 'le', 'server'].includes(name)),
    )
    expect(await listLabelNames(deps.storage, { ...range, tenant: 'nobody', matcherSets: [] })).toEqual([])
  })

  test('values of labels', async () => {
    const values = (name: string, ...matchers: { name: string; op: '='; value: string }[]) =>
      listLabelValues(deps.storage, { ...range, name, matcherSets: matchers.length === 0 ? [] : [matchers] })
    expect(await values('service')).toEqual(['cart'])
    expect(await values('server')).toEqual(['stock'])
    expect(await values('span_kind', { name: 'service', op: '=', value: 'cart' })).toEqual([
      'SPAN_KIND_CLIENT',
    ])
    expect(await values('span_kind', { name: 'service', op: '=', value: 'pay' })).toEqual([])
    expect(await values('__name__')).toContain('traces_spanmetrics_duration_milliseconds_bucket')
    expect(await values('__name__', { name: 'le', op: '=', value: '+Inf' })).toEqual([
      'traces_service_graph_request_client_seconds_bucket',
      'traces_service_graph_request_server_seconds_bucket',
      'traces_spanmetrics_duration_milliseconds_bucket',
      'traces_spanmetrics_latency_bucket',
    ])
    expect(
      await values('le', { name: '__name__', op: '=', value: 'traces_spanmetrics_latency_bucket' }),
    ).toHaveLength(21)
  })

  test('metadata', async () => {
    const metadata = await listMetadata(deps.storage, { tenant: 'one', name: null, limit: 100 })
    expect(metadata).toContainEqual({
      name: 'traces_spanmetrics_calls_total',
      type: 'counter',
      help: 'Spans',
      unit: '',
    })
    const name = 'traces_spanmetrics_latency'
    expect(await listMetadata(deps.storage, { tenant: 'one', name, limit: 100 })).toMatchObject([
      { name, type: 'histogram', unit: 'seconds' },
    ])
    expect(await listMetadata(deps.storage, { tenant: 'nobody', name: null, limit: 100 })).toEqual([])
  })
})

/** As `is_error` of a span: its status, or a 5xx. */
function isFailure(call: Call): boolean {
  return call.isError === true || (call.httpStatus ?? 0) >= 500
}
