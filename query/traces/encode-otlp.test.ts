import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnyValue, KeyValue } from '../../model/any-value.ts'
import { SPAN_KINDS, STATUS_CODES } from '../../model/span.ts'
import { decodeTraceMessage } from '../../test/support/otlp-trace-schema.ts'
import { EVERY_KIND, SAMPLE_TRACE } from '../../test/support/sample-trace.ts'
import { encodeOtlpJson } from './encode-otlp-json.ts'
import { encodeOtlpProtobuf } from './encode-otlp-protobuf.ts'
import type { Span } from './trace.ts'

const [ROOT] = SAMPLE_TRACE.spans as [Span]

describe('OTLP JSON of spans', () => {
  test('groups by resource and scope and leaves defaults out', () => {
    const { resourceSpans } = encodeOtlpJson(SAMPLE_TRACE.spans)
    expect(resourceSpans.map(({ scopeSpans }) => scopeSpans.map(({ spans }) => spans.length))).toEqual([
      [2],
      [1],
    ])
    expect(resourceSpans[1]).toEqual({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }] },
      scopeSpans: [
        {
          scope: {},
          spans: [
            {
              traceId: '0af7651916cd43dd8448eb211c80319c',
              spanId: 'd9cf8d938b425553',
              parentSpanId: 'c8be7c827a314442',
              name: 'POST',
              kind: 2,
              startTimeUnixNano: '1763625600129456789',
              endTimeUnixNano: '1763625600129455789',
              attributes: [{ key: 'http.response.status_code', value: { intValue: '503' } }],
              status: {},
            },
          ],
        },
      ],
    })
  })

  test('has every field of a span that has them all', () => {
    const { resourceSpans } = encodeOtlpJson([ROOT])
    expect(resourceSpans).toEqual([
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'frontend' } },
            { key: 'host.cpus', value: { intValue: '8' } },
          ],
          droppedAttributesCount: 1,
        },
        scopeSpans: [
          {
            scope: {
              name: 'http',
              version: '1.2.3',
              attributes: [{ key: 'scope.attribute', value: { boolValue: true } }],
              droppedAttributesCount: 2,
            },
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: 'b7ad6b7169203331',
                traceState: 'vendor=value,other=1',
                flags: 257,
                name: 'GET /cart',
                kind: 2,
                startTimeUnixNano: '1763625600123456789',
                endTimeUnixNano: '1763625600373457788',
                attributes: EVERY_KIND,
                droppedAttributesCount: 3,
                events: [
                  {
                    timeUnixNano: '1763625600124456789',
                    name: 'cache.miss',
                    attributes: [{ key: 'key', value: { stringValue: 'cart:7' } }],
                    droppedAttributesCount: 4,
                  },
                ],
                droppedEventsCount: 5,
                links: [
                  {
                    traceId: '11111111111111111111111111111111',
                    spanId: '2222222222222222',
                    traceState: 'linked=1',
                    attributes: [{ key: 'why', value: { stringValue: 'batch' } }],
                    droppedAttributesCount: 6,
                    flags: 1,
                  },
                ],
                droppedLinksCount: 7,
                status: {},
              },
            ],
            schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
          },
        ],
        schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
      },
    ])
  })

  test('does not mix spans whose resources differ only in the type of a value', () => {
    const other = {
      ...ROOT,
      resource: { ...ROOT.resource, attributes: [{ key: 'service.name', value: { intValue: '1' } }] },
    }
    expect(encodeOtlpJson([ROOT, other, ROOT]).resourceSpans).toHaveLength(2)
  })
})

describe('OTLP protobuf of spans', () => {
  test('says the same as the JSON', () => {
    expect(decodeTraceMessage('TracesData', encodeOtlpProtobuf(SAMPLE_TRACE.spans))).toEqual(
      encodeOtlpJson(SAMPLE_TRACE.spans),
    )
  })

  test('says the same as the JSON, whatever the spans', () => {
    fc.assert(
      fc.property(fc.array(anySpan(), { minLength: 1, maxLength: 6 }), (spans) => {
        expect(decodeTraceMessage('TracesData', encodeOtlpProtobuf(spans))).toEqual(encodeOtlpJson(spans))
      }),
      { numRuns: 300 },
    )
  })

  test('is an empty message for no spans', () => {
    expect(encodeOtlpProtobuf([])).toHaveLength(0)
  })
})

function anySpan(): fc.Arbitrary<Span> {
  const count = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const text = fc.string({ unit: 'grapheme' })
  const hex = (bytes: number) =>
    fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'))
  const value = fc.letrec<{ any: AnyValue }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      text.map((stringValue) => ({ stringValue })),
      fc.boolean().map((boolValue) => ({ boolValue })),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((int) => ({ intValue: int.toString() })),
      fc.double().map((double) => ({ doubleValue: jsonDouble(double) })),
      fc.uint8Array().map((bytes) => ({ bytesValue: Buffer.from(bytes).toString('base64') })),
      fc.constant({}),
      fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
      fc
        .array(fc.record({ key: text.filter((key) => key !== ''), value: tie('any') }), {
          minLength: 1,
          maxLength: 3,
        })
        .map((values) => ({ kvlistValue: { values } })),
    ),
  })).any
  const attributes: fc.Arbitrary<KeyValue[]> = fc.array(
    fc.record({ key: text.filter((key) => key !== ''), value }),
    { maxLength: 4 },
  )
  const nanos = fc.bigInt({ min: 1n, max: 2n ** 62n })
  const filled = text.map((name) => `n${name}`)
  return fc.record({
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: fc.option(hex(8)),
    traceState: text,
    flags: count,
    service: text,
    name: filled,
    kind: fc.constantFrom(...SPAN_KINDS),
    startTimeUnixNano: nanos,
    durationNanos: nanos,
    status: fc.record({ code: fc.constantFrom(...STATUS_CODES), message: text }),
    isError: fc.boolean(),
    mesh: fc.constant(ROOT.mesh),
    attributes,
    droppedAttributesCount: count,
    events: fc.array(
      fc.record({ timeUnixNano: nanos, name: filled, attributes, droppedAttributesCount: count }),
      { maxLength: 2 },
    ),
    droppedEventsCount: count,
    links: fc.array(
      fc.record({
        traceId: hex(16),
        spanId: hex(8),
        traceState: text,
        attributes,
        droppedAttributesCount: count,
        flags: count,
      }),
      { maxLength: 2 },
    ),
    droppedLinksCount: count,
    resource: fc.record({ attributes, droppedAttributesCount: count, schemaUrl: text }),
    scope: fc.record({
      name: text,
      version: text,
      attributes,
      droppedAttributesCount: count,
      schemaUrl: text,
    }),
  })
}

function jsonDouble(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return 'Infinity'
  return value === Number.NEGATIVE_INFINITY ? '-Infinity' : value
}
