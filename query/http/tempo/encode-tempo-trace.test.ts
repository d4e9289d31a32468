import { expect, test } from 'vitest'
import { decodeTraceMessage } from '../../../test/support/otlp-trace-schema.ts'
import { EVERY_KIND, SAMPLE_TRACE } from '../../../test/support/sample-trace.ts'
import { encodeOtlpJson } from '../../traces/encode-otlp-json.ts'
import type { Span } from '../../traces/trace.ts'
import { tempoTraceV1, tempoTraceV2 } from './encode-tempo-trace.ts'

const [ROOT, CALL] = SAMPLE_TRACE.spans as [Span, Span]

test("JSON is protobuf's canonical form: base64 ids, names of enums", () => {
  const trace = { ...SAMPLE_TRACE, spans: [ROOT] }
  expect(tempoTraceV1.json(trace)).toEqual({
    batches: [
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
                traceId: 'CvdlGRbNQ92ESOshHIAxnA==',
                spanId: 't61rcWkgMzE=',
                traceState: 'vendor=value,other=1',
                flags: 257,
                name: 'GET /cart',
                kind: 'SPAN_KIND_SERVER',
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
                    traceId: 'EREREREREREREREREREREQ==',
                    spanId: 'IiIiIiIiIiI=',
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
    ],
  })
})

test('a parent and an error status in JSON', () => {
  const { batches } = tempoTraceV1.json({ ...SAMPLE_TRACE, spans: [CALL] }) as {
    batches: [{ scopeSpans: [{ spans: [unknown] }] }]
  }
  expect(batches[0].scopeSpans[0].spans[0]).toMatchObject({
    parentSpanId: 't61rcWkgMzE=',
    kind: 'SPAN_KIND_CLIENT',
    status: { code: 'STATUS_CODE_ERROR', message: 'upstream said 503' },
  })
})

test('v2 wraps the same', () => {
  const { batches } = tempoTraceV1.json(SAMPLE_TRACE) as { batches: unknown }
  expect(tempoTraceV2.json(SAMPLE_TRACE)).toEqual({ trace: { resourceSpans: batches }, metrics: {} })
})

test('protobuf has every field of the spans', () => {
  const expected = encodeOtlpJson(SAMPLE_TRACE.spans)
  expect(decodeTraceMessage('TracesData', tempoTraceV1.protobuf(SAMPLE_TRACE))).toEqual(expected)
  expect(decodeTraceMessage('TraceByIdResponse', tempoTraceV2.protobuf(SAMPLE_TRACE))).toEqual({
    trace: expected,
    metrics: {},
  })
})

test('a trace that was cut is partial', () => {
  const cut = { ...SAMPLE_TRACE, isTruncated: true }
  const message = 'the trace has more spans than one answer may carry; these are the first 3'
  expect(tempoTraceV2.json(cut)).toMatchObject({ status: 'PARTIAL', message })
  expect(decodeTraceMessage('TraceByIdResponse', tempoTraceV2.protobuf(cut))).toMatchObject({
    status: 1,
    message,
  })
})
