import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeAttributes } from '../../model/any-value.ts'
import { storeMessage } from '../../test/support/decode-message.ts'
import { EVERY_ATTRIBUTE } from '../../test/support/every-attribute.ts'
import { type OpenQueryDeps, openQueryDeps } from '../../test/support/open-query-deps.ts'
import { encodeRequest, type OtlpJson } from '../../test/support/otlp-messages.ts'
import { text } from '../../test/support/stored-attributes.ts'

type Pairs = readonly (readonly [string, string])[]

const NOW = Date.UTC(2026, 0, 2, 4)
const START = BigInt(NOW) * 1_000_000n + 123_456_789n
const TRACE_ID = '0102030405060708090a0b0c0d0e0f10'
const SPAN_ID = 'f0e1d2c3b4a59687'

function traces(spans: readonly OtlpJson[], resource: OtlpJson = {}, scope: OtlpJson = {}): Uint8Array {
  return encodeRequest('traces', { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] })
}

function span(fields: OtlpJson = {}): OtlpJson {
  return {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    name: 'GET /cart',
    startTimeUnixNano: String(START),
    endTimeUnixNano: String(START + 1_000_000n),
    ...fields,
  }
}

describe('spans in ClickHouse', () => {
  let deps: OpenQueryDeps
  beforeAll(async () => {
    deps = await openQueryDeps()
  })
  afterAll(() => deps.close())

  function rows(tenant: string, sql: string): Promise<Record<string, unknown>[]> {
    return deps.storage.select<Record<string, unknown>>({ name: 'test', tenant, sql })
  }

  async function firstRow(tenant: string, sql: string): Promise<Record<string, unknown>> {
    return (await rows(tenant, sql))[0] ?? {}
  }

  test('a span with every field and every kind of attribute comes back as it was sent', async () => {
    const events = [
      {
        timeUnixNano: '18446744073709551615',
        name: 'retry ☕',
        attributes: EVERY_ATTRIBUTE,
        droppedAttributesCount: 2,
      },
      { timeUnixNano: String(START), name: '' },
    ]
    const links = [
      {
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        traceState: 'a=b',
        attributes: EVERY_ATTRIBUTE,
        droppedAttributesCount: 1,
        flags: 769,
      },
      { traceId: TRACE_ID, spanId: SPAN_ID },
    ]
    const sent = span({
      traceState: 'vendor=1',
      parentSpanId: '00000000000000aa',
      flags: 0xffffffff,
      kind: 3,
      attributes: EVERY_ATTRIBUTE,
      droppedAttributesCount: 4_000_000_000,
      events,
      droppedEventsCount: 5,
      links,
      droppedLinksCount: 6,
      status: { code: 2, message: 'gone ☕' },
    })
    const outcome = await storeMessage(deps.storage, 'traces', traces([sent]), { now: NOW, tenant: 'every' })
    expect(outcome).toMatchObject({ accepted: 1, rejected: 0 })
    const row = await firstRow(
      'every',
      `SELECT toString(toUnixTimestamp64Nano(ts)) AS ts, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id,
        lower(hex(parent_span_id)) AS parent_span_id, trace_state, flags, service, name, kind, duration_ns, status_code,
        status_message, is_error, http_status, grpc_status, CAST(attrs, 'Array(Tuple(String, String))') AS pairs,
        attr_kinds,
        events, links, dropped_attributes, dropped_events, dropped_links
      FROM spans WHERE tenant = {tenant:String}`,
    )
    const { pairs, attr_kinds, events: storedEvents, links: storedLinks, ...plain } = row
    expect(plain).toEqual({
      ts: String(START),
      trace_id: TRACE_ID,
      span_id: SPAN_ID,
      parent_span_id: '00000000000000aa',
      trace_state: 'vendor=1',
      flags: 0xffffffff,
      service: 'unknown_service',
      name: 'GET /cart',
      kind: 'client',
      duration_ns: '1000000',
      status_code: 'error',
      status_message: 'gone ☕',
      is_error: true,
      http_status: 0,
      grpc_status: -1,
      dropped_attributes: 4_000_000_000,
      dropped_events: 5,
      dropped_links: 6,
    })
    expect(decodeAttributes(pairs as Pairs, String(attr_kinds))).toStrictEqual(EVERY_ATTRIBUTE)
    expect(JSON.parse(String(storedEvents))).toStrictEqual(events)
    expect(JSON.parse(String(storedLinks))).toStrictEqual(links)
  })

  test('the origin of a span has everything of resource and scope', async () => {
    const message = encodeRequest('traces', {
      resourceSpans: [
        {
          resource: {
            attributes: [text('service.name', 'cart'), ...EVERY_ATTRIBUTE],
            droppedAttributesCount: 3,
          },
          schemaUrl: 'https://schema/resource',
          scopeSpans: [
            {
              scope: { name: 'http', version: '1.2', attributes: EVERY_ATTRIBUTE, droppedAttributesCount: 4 },
              schemaUrl: 'https://schema/scope',
              spans: [span(), span()],
            },
          ],
        },
      ],
    })
    await storeMessage(deps.storage, 'traces', message, { now: NOW, tenant: 'origin' })
    const row = await firstRow(
      'origin',
      `SELECT o.service AS service, s.service AS span_service, toString(day) AS day, resource_dropped_attributes,
        resource_schema_url, scope_name, scope_version, scope_dropped_attributes, scope_schema_url,
        CAST(resource_attrs, 'Array(Tuple(String, String))') AS resource_pairs, resource_attr_kinds,
        CAST(scope_attrs, 'Array(Tuple(String, String))') AS scope_pairs, scope_attr_kinds
      FROM spans AS s JOIN origins AS o ON o.id = s.origin AND o.tenant = s.tenant WHERE s.tenant = {tenant:String}`,
    )
    const { resource_pairs, resource_attr_kinds, scope_pairs, scope_attr_kinds, ...plain } = row
    expect(plain).toEqual({
      service: 'cart',
      span_service: 'cart',
      day: '2026-01-02',
      resource_dropped_attributes: 3,
      resource_schema_url: 'https://schema/resource',
      scope_name: 'http',
      scope_version: '1.2',
      scope_dropped_attributes: 4,
      scope_schema_url: 'https://schema/scope',
    })
    expect(decodeAttributes(resource_pairs as Pairs, String(resource_attr_kinds))).toStrictEqual([
      text('service.name', 'cart'),
      ...EVERY_ATTRIBUTE,
    ])
    expect(decodeAttributes(scope_pairs as Pairs, String(scope_attr_kinds))).toStrictEqual(EVERY_ATTRIBUTE)
  })

  test('more distinct values than one byte and than two bytes can number', async () => {
    const count = 70_000
    const spans = Array.from({ length: count }, (_, index) =>
      span({ name: `operation ${index}`, attributes: [text(`key-${index % 300}`, `value ${index}`)] }),
    )
    await storeMessage(deps.storage, 'traces', traces(spans), { now: NOW, tenant: 'many' })
    expect(
      await rows(
        'many',
        `SELECT count() AS spans, uniqExact(name) AS names,
          countIf(attrs['key-' || toString(toUInt32(substring(toString(name), 11)) % 300)]
            = 'value ' || substring(toString(name), 11)) AS matching
        FROM spans WHERE tenant = {tenant:String}`,
      ),
    ).toEqual([{ spans: String(count), names: String(count), matching: String(count) }])
  })

  test('attribute keys are told with their level and kind', async () => {
    const sent = span({ attributes: [text('k', 'v'), { key: 'k.int', value: { intValue: '1' } }] })
    const resource = { attributes: [text('service.name', 'cart')] }
    const message = traces([sent, sent], resource, { attributes: [text('scope.key', '')] })
    await storeMessage(deps.storage, 'traces', message, { now: NOW, tenant: 'keys' })
    expect(
      await rows(
        'keys',
        'SELECT toString(day) AS day, level, key, kind FROM attribute_keys WHERE tenant = {tenant:String} ORDER BY level, key',
      ),
    ).toEqual([
      { day: '2026-01-02', level: 'span', key: 'k', kind: 's' },
      { day: '2026-01-02', level: 'span', key: 'k.int', kind: 'i' },
      { day: '2026-01-02', level: 'resource', key: 'service.name', kind: 's' },
      { day: '2026-01-02', level: 'scope', key: 'scope.key', kind: 's' },
    ])
  })
})
